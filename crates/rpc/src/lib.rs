//! Every seam over gRPC, both ends; the only crate that knows tonic and prost.

mod proto;
