//! Tells those who sleep elsewhere than in `next` that something waits: at a descriptor, which is
//! readable meanwhile, and at sockets, which get a byte each time it begins.

use crate::error::{Error, Result, Status};
use rustix::event::{EventfdFlags, eventfd};
use std::io::ErrorKind;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

/// Raised while something waits.
#[derive(Default)]
pub(super) struct Alarm {
    raised: bool,
    descriptor: Option<OwnedFd>,
    readers: Vec<UnixStream>,
}

impl Alarm {
    /// The descriptor, made when it is asked for first: until then nobody pays for it.
    pub(super) fn descriptor(&mut self) -> Result<RawFd> {
        if let Some(descriptor) = &self.descriptor {
            return Ok(descriptor.as_raw_fd());
        }
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        let descriptor = eventfd(u32::from(self.raised), flags)
            .map_err(|error| Error::new(Status::Io, format!("no event descriptor: {error}")))?;
        Ok(self.descriptor.insert(descriptor).as_raw_fd())
    }

    pub(super) fn raise(&mut self) {
        if std::mem::replace(&mut self.raised, true) {
            return;
        }
        if let Some(descriptor) = &self.descriptor {
            // It fails only where it is raised already.
            let _ = rustix::io::write(descriptor, &1_u64.to_ne_bytes());
        }
        self.readers.retain_mut(ring);
    }

    pub(super) fn lower(&mut self) {
        if !std::mem::replace(&mut self.raised, false) {
            return;
        }
        if let Some(descriptor) = &self.descriptor {
            let _ = rustix::io::read(descriptor, &mut [0; 8]);
        }
    }

    /// One more who is told by a byte, at once where something waits already.
    pub(super) fn admit(&mut self, mut reader: UnixStream) {
        if !self.raised || ring(&mut reader) {
            self.readers.push(reader);
        }
    }
}

/// Sends a byte; false when nobody reads it any more. Where bytes pile up unread one more would
/// say nothing new.
fn ring(reader: &mut UnixStream) -> bool {
    match rustix::net::send(&*reader, &[1], rustix::net::SendFlags::NOSIGNAL) {
        Ok(_) => true,
        Err(error) => std::io::Error::from(error).kind() == ErrorKind::WouldBlock,
    }
}
