//! TVM service and user tickets: checking, signing, roles.
