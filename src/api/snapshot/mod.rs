//! Snapshots: the whole state of the servers in one file, to be kept and restored
//! (<https://developer.hashicorp.com/consul/api-docs/snapshot>).

mod archive;

use crate::atomic_file::{self, AtomicFile};
use crate::client::{Anew, Blocking, Call, Client, Streamed, Style, Target};
use crate::config::Options;
use crate::error::{Error, Result, Status};
use crate::transport::Method;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use std::time::Duration;

/// How long saving or restoring may take where neither the options nor a longer `timeout_ms` of the
/// client say so: a snapshot may be gigabytes.
const PATIENCE: Duration = Duration::from_secs(600);

/// What a snapshot says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Snapshot {
    /// Its name: term, index and the time in ms at which it was made.
    #[serde(rename = "ID")]
    pub id: String,
    /// The index of the last change that is in it.
    pub index: u64,
    /// The term of Raft in which that was.
    pub term: u64,
    /// The version of its format.
    pub version: u64,
    /// How many bytes of state are in it, uncompressed.
    pub size: u64,
}

impl Snapshot {
    /// Reads a snapshot from its first byte to its last and compares all checksums; asks no Consul.
    /// `Status::Crypto` when a checksum is wrong, `Status::Decode` when it is not the archive that
    /// Consul writes or not all of it, `Status::Io` when it cannot be read.
    pub fn inspect(path: &Path) -> Result<Snapshot> {
        archive::inspect(open(path)?).map_err(|error| error.context(path.display()))
    }
}

/// The snapshot endpoints of a client. A token needs management rights for them.
#[derive(Clone, Copy)]
pub struct Snapshots<'a, S: Style = Blocking> {
    client: &'a Client<S>,
}

impl<S: Style> Client<S> {
    /// Snapshots.
    pub fn snapshot(&self) -> Snapshots<'_, S> {
        Snapshots { client: self }
    }
}

impl<S: Style> Snapshots<'_, S> {
    /// Saves the state of the servers in a file, which is there whole and with right checksums, or
    /// not at all: it is written under another name beside its place, read again and checked, and
    /// then takes the place of what may have been there. Only its owner can read it, since the
    /// tokens of the ACL system are in it.
    ///
    /// Of several addresses each is tried as for other reads, and what one has begun to send is begun
    /// anew at the next.
    /// It goes straight to the file: the memory that it takes does not depend on its size. With the
    /// consistency `stale` any server gives it, also while there is no leader. Where the options do
    /// not say how long it may take, ten minutes. A client that is deferred does it on a thread of
    /// its own. What stands there and is no file, as a device, is not replaced: `Status::Argument`.
    pub fn save(&self, path: &Path, options: &Options) -> Result<S::Output<Snapshot>> {
        check_path(path)?;
        atomic_file::check_replaceable(path)?;
        let (path, options) = (path.to_owned(), patient(options, self.client.settings().timeout));
        self.client.run(move |client| async move {
            client.block("consul-snapshot", move |client| save(client, &path, &options)).await
        })
    }

    /// Replaces the state of the servers by what a file holds, after its checksums were compared.
    /// Every key, session, service, token and policy is as it was when the snapshot was made; what
    /// was written since is gone. It is sent again only where nothing of it can have been taken: after
    /// an error whose outcome is unknown it may have been restored. Its memory, time and thread are as for [`Snapshots::save`].
    pub fn restore(&self, path: &Path, options: &Options) -> Result<S::Output<Snapshot>> {
        check_path(path)?;
        let (path, options) = (path.to_owned(), patient(options, self.client.settings().timeout));
        self.client.run(move |client| async move {
            client.block("consul-snapshot", move |client| restore(client, &path, &options)).await
        })
    }
}

fn save(client: &Client, path: &Path, options: &Options) -> Result<Snapshot> {
    let mut file = AtomicFile::beside(path);
    // Who has no place for it shall hear that, and not how Consul is.
    file.open()?;
    let call = Call::get(Target::new("/v1/snapshot"), options);
    client.send_stream(call, Streamed::Download(&mut file))?;
    let found = archive::inspect(BufReader::new(file.written()?))
        .map_err(|error| error.context("what Consul sent"))?;
    file.commit_durably()?;
    Ok(found)
}

fn restore(client: &Client, path: &Path, options: &Options) -> Result<Snapshot> {
    let found = Snapshot::inspect(path)?;
    let file = open(path)?;
    let length = file.metadata().map_err(|error| unreadable(path, &error))?.len();
    let mut body = Body { file, path };
    let call = Call::new(Method::Put, Target::new("/v1/snapshot"), None, options);
    client.send_stream(call, Streamed::Upload(&mut body, length))?;
    Ok(found)
}

/// The options of a call that may take long.
fn patient(options: &Options, timeout: Duration) -> Options {
    let timeout = options.timeout.unwrap_or(timeout.max(PATIENCE));
    Options { index: 0, ..options.clone() }.timeout(timeout)
}

fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::new(Status::Io, format!("cannot read {}: {error}", path.display()))
}

fn check_path(path: &Path) -> Result<()> {
    match path.file_name() {
        Some(_) => Ok(()),
        None => Err(Error::argument(format!("{:?} is not the path of a file", path.display()))),
    }
}

/// A file on its way out, whose failures are not the connection's.
struct Body<'a> {
    file: File,
    path: &'a Path,
}

impl Body<'_> {
    fn unreadable(&self, error: &io::Error) -> Error {
        unreadable(self.path, error).with_local(true)
    }
}

impl Read for Body<'_> {
    fn read(&mut self, piece: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(piece);
        read.map_err(|error| io::Error::other(self.unreadable(&error)))
    }
}

impl Anew for Body<'_> {
    fn begin_anew(&mut self) -> Result<()> {
        self.file.rewind().map_err(|error| self.unreadable(&error))
    }
}

/// Nobody has seen what was written of it.
impl Anew for AtomicFile {
    fn begin_anew(&mut self) -> Result<()> {
        self.empty()
    }
}
