//! x
pub struct CancelToken;
