mod duplicates;
mod failures;
mod guarded;
mod order;
mod races;
