//! x
pub struct HttpTransport;
impl HttpTransport {
    pub fn new(_: &crate::config::Settings) -> crate::Result<HttpTransport> {
        Ok(HttpTransport)
    }
}
impl super::Transport for HttpTransport {
    fn exchange(&self, _: super::Request<'_>) -> crate::Result<super::Response> {
        Err(crate::Error::argument("x"))
    }
    fn close(&self) {}
    fn endpoint(&self) -> &str {
        ""
    }
}
