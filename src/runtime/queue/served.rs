//! The unix socket at which a host that cannot wait on a descriptor is told that something waits:
//! nginx, whose Lua reads sockets only.

use super::Queue;
use crate::error::{Error, Result, Status};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

/// A socket that is served by a thread of its own until it is dropped.
pub(super) struct Served {
    path: PathBuf,
    stop: Arc<OwnedFd>,
}

impl Served {
    pub(super) fn start(queue: &Queue, path: &Path) -> Result<Served> {
        let failed = |error: io::Error| {
            let path = path.display();
            Error::new(Status::Io, format!("the socket {path} cannot be served: {error}"))
        };
        let listener = listen(path).map_err(failed)?;
        let stop = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        let stop = Arc::new(stop.map_err(io::Error::from).map_err(failed)?);
        let served = Served { path: path.to_path_buf(), stop: stop.clone() };
        let queue = Arc::downgrade(&queue.0);
        crate::sys::spawn("consul-queue", move || accept(&listener, &stop, &queue))
            .map_err(failed)?;
        Ok(served)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = rustix::io::write(&*self.stop, &1_u64.to_ne_bytes());
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A listening socket of mode 0600. One that a dead process left behind is replaced.
fn listen(path: &Path) -> io::Result<UnixListener> {
    match bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_behind(path) => {
            std::fs::remove_file(path)?;
            bind(path)
        }
        bound => bound,
    }
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    // Linux gives the file the mode of the socket, so there is no moment at which others could
    // connect (unix_bind of its net/unix/af_unix.c).
    rustix::fs::fchmod(&socket, rustix::fs::Mode::from_raw_mode(0o600))?;
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    rustix::net::listen(&socket, 16)?;
    Ok(UnixListener::from(socket))
}

fn is_left_behind(path: &Path) -> bool {
    let is_socket = path.symlink_metadata().is_ok_and(|file| file.file_type().is_socket());
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    is_socket && UnixStream::connect(path).is_err_and(refused)
}

/// Accepts until it is stopped, or the queue is gone.
fn accept(listener: &UnixListener, stop: &OwnedFd, queue: &Weak<super::Inner>) {
    loop {
        let mut ready = [PollFd::new(listener, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
        let waited = poll(&mut ready, None);
        if !ready[1].revents().is_empty() {
            return;
        }
        let accepted = listener.accept();
        let Some(queue) = queue.upgrade().map(Queue) else { return };
        match accepted {
            Ok((reader, _)) => {
                if reader.set_nonblocking(true).is_ok() {
                    queue.admit(reader);
                }
            }
            // No descriptor is left, or the like: it may pass.
            Err(error) if error.kind() != io::ErrorKind::WouldBlock && waited.is_ok() => {
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
            Err(_) => {}
        }
    }
}
