//! Jobs: work that needs answers from a server. A job says which request it needs next and is told the answer; it does
//! no IO and knows no clock. It may be dropped after any request: what was learned until then is kept, and the two jobs
//! here are so short that they are begun anew instead of being resumed.

pub mod budget;
pub mod collect;
pub mod outlook;
pub mod save;
pub mod survey;

use crate::server::markup::Parser;
use crate::server::reply::Reply;
use crate::server::request::Request;
use crate::trunk::dossier::AccountFacts;
use crate::when::Time;

/// Work in steps of one request.
pub trait Job {
    /// The request to perform next; `None` when all is done. Asking twice gives the same request.
    fn next(&self) -> Option<Request>;
    /// The answer to that request.
    fn answer(&mut self, reply: &Reply, parser: &dyn Parser, now: Time);
    /// What was learned so far.
    fn learned(&self) -> &AccountFacts;
}
