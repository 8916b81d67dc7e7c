//! Direct messages: collected ([`crate::job::collect`]), put together, written and read again.
//!
//! What is kept are [`record`]s: the server's own text, under keys. Everything else is made from them: [`thread`] puts
//! messages together into conversations, [`body`] makes something harmless of a message's HTML, [`bundle`] writes all of
//! it into one ZIP and opens it again.

pub mod body;
pub mod bundle;
pub mod digest;
pub mod record;
pub mod thread;
pub mod write;
