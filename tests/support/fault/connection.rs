//! One accepted connection, in the hands of its script.

use super::socket::Socket;
use super::{Reply, Request, Shared};
use crate::support::http;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

/// One accepted connection, in the hands of its script. Closed when the script ends.
pub struct Connection {
    shared: Arc<Shared>,
    number: usize,
    socket: Option<Arc<Socket>>,
    tls: Option<Box<rustls::ServerConnection>>,
    /// Read and not used yet.
    buffer: Vec<u8>,
}

impl Connection {
    pub(super) fn new(
        shared: Arc<Shared>,
        socket: Socket,
        tls: Option<Arc<rustls::ServerConfig>>,
    ) -> Connection {
        let tls = tls.map(|config| {
            Box::new(rustls::ServerConnection::new(config).expect("a TLS connection"))
        });
        let socket = Arc::new(socket);
        let number = {
            let mut state = shared.lock();
            let number = state.connections;
            state.connections += 1;
            if state.closing {
                socket.shutdown();
            } else {
                state.open.insert(number, Arc::clone(&socket));
            }
            number
        };
        shared.changed.notify_all();
        Connection { shared, number, socket: Some(socket), tls, buffer: Vec::new() }
    }

    /// Which connection it is, from 0.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Answers each request until the peer goes or a reply says that it is the last.
    pub fn serve(&mut self, answer: impl Fn(&Request) -> Reply) -> io::Result<()> {
        loop {
            let request = self.read_request()?;
            self.reply(&answer(&request))?;
        }
    }

    /// Reads a whole request and records it for the test.
    pub fn read_request(&mut self) -> io::Result<Request> {
        let mut request = self.read_head()?;
        request.body = match request.header("Content-Length") {
            Some(length) => {
                let length = length.parse().map_err(|_| invalid("Content-Length", length))?;
                self.take(length)?
            }
            None if request.header("Transfer-Encoding").is_some() => self.take_chunks()?,
            None => Vec::new(),
        };
        request.at = std::time::Instant::now();
        self.shared.lock().requests.push(request.clone());
        self.shared.changed.notify_all();
        Ok(request)
    }

    /// Reads a request's head and leaves its body where it is; not recorded.
    pub fn read_head(&mut self) -> io::Result<Request> {
        let end = self.fill_until(http::end_of_head)?;
        let head: Vec<u8> = self.buffer.drain(..end).collect();
        Request::parse(&head, self.number)
            .ok_or_else(|| invalid("request", &String::from_utf8_lossy(&head)))
    }

    /// Reads so many bytes, whatever they are; not recorded.
    pub fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        self.fill_until(|buffer| (buffer.len() >= count).then_some(()))?;
        Ok(self.buffer.drain(..count).collect())
    }

    /// Sends a reply, and closes if it says so.
    pub fn reply(&mut self, reply: &Reply) -> io::Result<()> {
        self.write(&reply.wire())?;
        if reply.is_closing() { self.close() } else { Ok(()) }
    }

    /// Sends bytes.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut socket: &Socket = self.socket.as_deref().ok_or(io::ErrorKind::NotConnected)?;
        match &mut self.tls {
            Some(tls) => rustls::Stream::new(&mut **tls, &mut socket).write_all(bytes),
            None => socket.write_all(bytes),
        }
    }

    /// Sends bytes in pieces, with a pause before each but the first.
    pub fn drip(&mut self, bytes: &[u8], piece: usize, pause: Duration) -> io::Result<()> {
        for (index, piece) in bytes.chunks(piece).enumerate() {
            if index > 0 {
                self.pause(pause)?;
            }
            self.write(piece)?;
        }
        Ok(())
    }

    /// Does nothing for a while.
    pub fn pause(&self, time: Duration) -> io::Result<()> {
        match self.shared.wait_until(time, |state| state.closing) {
            Ok(_) => Err(dropped()),
            Err(_) => Ok(()),
        }
    }

    /// Does nothing until the test calls [`super::Server::release`].
    pub fn wait_for_release(&self) -> io::Result<()> {
        let state = self.shared.wait_until(Duration::MAX, |state| state.released || state.closing);
        match state {
            Ok(state) if !state.closing => Ok(()),
            _ => Err(dropped()),
        }
    }

    /// Takes what comes until the peer has closed, or reset, its side.
    pub fn wait_for_close(&mut self) -> io::Result<()> {
        while self.fill()? > 0 {}
        Ok(())
    }

    /// The TLS handshake alone; nothing without TLS.
    pub fn handshake(&mut self) -> io::Result<()> {
        let mut socket: &Socket = self.socket.as_deref().ok_or(io::ErrorKind::NotConnected)?;
        match &mut self.tls {
            Some(tls) => tls.complete_io(&mut socket).map(drop),
            None => Ok(()),
        }
    }

    /// Closes as a proper server does: with TLS it says so first.
    pub fn close(&mut self) -> io::Result<()> {
        if let (Some(tls), Some(mut socket)) = (&mut self.tls, self.socket.as_deref()) {
            tls.send_close_notify();
            // The peer may be gone.
            let _ = tls.write_tls(&mut socket);
        }
        self.cut()
    }

    /// Closes the socket and nothing else: FIN, or RST when there is something left unread.
    pub fn cut(&mut self) -> io::Result<()> {
        self.forget();
        Ok(())
    }

    /// Sends RST; on a unix socket it closes.
    pub fn reset(&mut self) -> io::Result<()> {
        if let Some(socket) = &self.socket {
            socket.reset();
        }
        self.cut()
    }

    /// Says that nothing more will be sent, and goes on reading.
    pub fn close_write(&mut self) -> io::Result<()> {
        self.socket.as_deref().map(Socket::shutdown_write).ok_or(io::ErrorKind::NotConnected.into())
    }

    fn take_chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = self.fill_until(|b| b.windows(2).position(|two| two == b"\r\n"))?;
            let line = self.take(end + 2)?;
            let size = std::str::from_utf8(&line)
                .ok()
                .and_then(|line| usize::from_str_radix(line.trim_end(), 16).ok())
                .ok_or_else(|| invalid("chunk", &String::from_utf8_lossy(&line)))?;
            let chunk = self.take(size + 2)?;
            if size == 0 {
                return Ok(body);
            }
            body.extend(&chunk[..size]);
        }
    }

    /// Reads on until `found` finds something in what is there.
    fn fill_until<T>(&mut self, found: impl Fn(&[u8]) -> Option<T>) -> io::Result<T> {
        loop {
            if let Some(result) = found(&self.buffer) {
                return Ok(result);
            }
            if self.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut socket: &Socket = self.socket.as_deref().ok_or(io::ErrorKind::NotConnected)?;
        let mut bytes = [0; 16 * 1024];
        let count = match &mut self.tls {
            Some(tls) => rustls::Stream::new(&mut **tls, &mut socket).read(&mut bytes)?,
            None => socket.read(&mut bytes)?,
        };
        self.buffer.extend(&bytes[..count]);
        Ok(count)
    }

    /// Lets go of the socket; the last to do so closes it.
    fn forget(&mut self) {
        self.socket = None;
        self.shared.lock().open.remove(&self.number);
        self.shared.changed.notify_all();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.forget();
    }
}

fn invalid(what: &str, text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a {what} that is none: {text:?}"))
}

fn dropped() -> io::Error {
    io::Error::new(io::ErrorKind::Interrupted, "the server is dropped")
}
