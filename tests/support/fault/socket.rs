//! TCP and unix sockets alike, with the ends that std does not offer.

use rustix::net::{AddressFamily, Shutdown, SocketAddrUnix, SocketType};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

/// A connected socket.
pub enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// Ends both directions; a thread that reads or writes here comes back.
    pub fn shutdown(&self) {
        // It may have ended already.
        let _ = rustix::net::shutdown(self, Shutdown::Both);
    }

    /// Says that nothing more will be sent, and goes on reading.
    pub fn shutdown_write(&self) {
        let _ = rustix::net::shutdown(self, Shutdown::Write);
    }

    /// Sends RST on TCP, whoever else holds the socket.
    pub fn reset(&self) {
        match self {
            // To disconnect a connected socket aborts the connection.
            Socket::Tcp(stream) => drop(rustix::net::connect_unspec(stream)),
            Socket::Unix(_) => self.shutdown(),
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Tcp(stream) => stream.as_fd(),
            Socket::Unix(stream) => stream.as_fd(),
        }
    }
}

impl Read for &Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => (&mut &*stream).read(buffer),
            Socket::Unix(stream) => (&mut &*stream).read(buffer),
        }
    }
}

impl Write for &Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => (&mut &*stream).write(bytes),
            Socket::Unix(stream) => (&mut &*stream).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A listening socket.
pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    /// On a free port of 127.0.0.1.
    pub fn tcp(backlog: i32) -> Listener {
        let bind = || -> rustix::io::Result<OwnedFd> {
            let socket = new_socket(AddressFamily::INET)?;
            rustix::net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
            rustix::net::listen(&socket, backlog)?;
            Ok(socket)
        };
        Listener::Tcp(bind().expect("listen on TCP").into())
    }

    /// At a path.
    pub fn unix(path: &Path, backlog: i32) -> Listener {
        let bind = || -> rustix::io::Result<OwnedFd> {
            let socket = new_socket(AddressFamily::UNIX)?;
            rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
            rustix::net::listen(&socket, backlog)?;
            Ok(socket)
        };
        Listener::Unix(bind().expect("listen on a unix socket").into())
    }

    /// The port of a TCP listener.
    pub fn port(&self) -> Option<u16> {
        match self {
            Listener::Tcp(listener) => Some(local_address(listener).port()),
            Listener::Unix(_) => None,
        }
    }

    /// The next connection; an error once the listener is shut down.
    pub fn accept(&self) -> io::Result<Socket> {
        match self {
            Listener::Tcp(listener) => listener.accept().and_then(|(stream, _)| {
                stream.set_nodelay(true)?;
                Ok(Socket::Tcp(stream))
            }),
            Listener::Unix(listener) => listener.accept().map(|(stream, _)| Socket::Unix(stream)),
        }
    }

    /// Connects to itself, if that works within the limit.
    pub fn try_connect(&self, limit: Duration) -> Option<Socket> {
        match self {
            Listener::Tcp(listener) => {
                TcpStream::connect_timeout(&local_address(listener), limit).ok().map(Socket::Tcp)
            }
            Listener::Unix(listener) => {
                let address = listener.local_addr().expect("its own address");
                let address = SocketAddrUnix::new(address.as_pathname()?).ok()?;
                let socket = new_socket(AddressFamily::UNIX).expect("a socket");
                rustix::io::ioctl_fionbio(&socket, true).expect("a socket that does not block");
                rustix::net::connect(&socket, &address).ok()?;
                Some(Socket::Unix(socket.into()))
            }
        }
    }

    /// Makes a thread in `accept` come back, and every later one.
    pub fn shutdown(&self) {
        // Linux ends `accept` with EINVAL then.
        let _ = match self {
            Listener::Tcp(listener) => rustix::net::shutdown(listener, Shutdown::Both),
            Listener::Unix(listener) => rustix::net::shutdown(listener, Shutdown::Both),
        };
    }
}

/// A port of 127.0.0.1 that is taken for as long as the process lives, without anybody who listens.
pub fn deaf_port() -> u16 {
    let socket = new_socket(AddressFamily::INET).expect("a socket");
    let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
    rustix::net::bind(&socket, &any).expect("a free port");
    // Only its number is asked for.
    let socket = std::mem::ManuallyDrop::new(TcpListener::from(socket));
    local_address(&socket).port()
}

fn new_socket(family: AddressFamily) -> rustix::io::Result<OwnedFd> {
    rustix::net::socket_with(family, SocketType::STREAM, rustix::net::SocketFlags::CLOEXEC, None)
}

fn local_address(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().expect("its own address")
}
