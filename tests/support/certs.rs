//! Certificates made by openssl, as people make them: good ones, old ones, wrong ones.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A certificate and its key, by the names of their files.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    pub certificate: &'static str,
    pub key: &'static str,
}

/// The CA that signed what is good.
pub const CA: &str = "ca.pem";
/// The CA of the certificates of version 1.
pub const OLD_CA: &str = "old-ca.pem";
/// A CA that signed nothing of ours.
pub const OTHER_CA: &str = "other-ca.pem";

/// For localhost, server.dc1.consul, 127.0.0.1 and ::1.
pub const SERVER: Pair = Pair { certificate: "server.pem", key: "server-key.pem" };
/// For other.example only.
pub const OTHER_NAME: Pair = Pair { certificate: "other-name.pem", key: "other-name-key.pem" };
/// Version 3, with localhost as its common name and no subject alternative name.
pub const COMMON_NAME: Pair = Pair { certificate: "common-name.pem", key: "common-name-key.pem" };
/// Its time is over.
pub const EXPIRED: Pair = Pair { certificate: "expired.pem", key: "expired-key.pem" };
/// Version 1 without subject alternative name, as older guides make it.
pub const OLD_SERVER: Pair = Pair { certificate: "old-server.pem", key: "old-server-key.pem" };
/// Signed by [`OTHER_CA`].
pub const OTHER_SERVER: Pair =
    Pair { certificate: "other-server.pem", key: "other-server-key.pem" };

/// A client's, version 3.
pub const CLIENT: Pair = Pair { certificate: "client.pem", key: "client-key.pem" };
/// A client's of version 1, as older guides make it.
pub const OLD_CLIENT: Pair = Pair { certificate: "old-client.pem", key: "old-client-key.pem" };
/// A client's signed by [`OTHER_CA`].
pub const OTHER_CLIENT: Pair =
    Pair { certificate: "other-client.pem", key: "other-client-key.pem" };

/// The folder they are all in; `certs.sh` lists the files.
pub struct Certs(PathBuf);

impl Certs {
    /// A file's path.
    pub fn path(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        assert!(path.exists(), "certs.sh makes no {name}");
        path
    }
}

/// The certificates, made once for all tests and kept for the next run.
pub fn certs() -> &'static Certs {
    static MADE: OnceLock<Certs> = OnceLock::new();
    MADE.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/certs.sh");
        let build = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = build.join("certs");
        if !is_newer(&folder.join("ca-folder"), &script) {
            make(&script, build, &folder);
        }
        Certs(folder)
    })
}

fn is_newer(made: &Path, source: &Path) -> bool {
    let time = |path: &Path| std::fs::metadata(path).and_then(|about| about.modified()).ok();
    time(made) > time(source)
}

/// Makes them beside, then puts them in place, so that another process never sees half of them.
fn make(script: &Path, build: &Path, folder: &Path) {
    let fresh = tempfile::tempdir_in(build).expect("a temporary folder");
    let done = Command::new("sh").arg(script).arg(fresh.path()).output().expect("start sh");
    assert!(done.status.success(), "certs.sh: {}", String::from_utf8_lossy(&done.stderr));
    let stale = tempfile::tempdir_in(build).expect("a temporary folder");
    // Both may fail when another process does the same; whichever set is in place then is whole.
    let _ = std::fs::rename(folder, stale.path().join("certs"));
    let _ = std::fs::rename(fresh.path(), folder);
}
