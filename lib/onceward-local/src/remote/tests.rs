//! Against a cloud of this process.
