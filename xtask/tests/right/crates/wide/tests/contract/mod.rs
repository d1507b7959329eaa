//! Stands for the suite that a service has here, so that its coverage test is generated.
