mod clock;
mod duplicates;
mod failures;
mod guarded;
mod keys;
mod order;
mod races;
mod shutdown;
