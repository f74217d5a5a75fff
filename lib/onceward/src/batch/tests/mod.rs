mod duplicates;
mod failures;
mod groups;
mod guarded;
mod order;
mod races;
