//! Writes that change nothing.
//!
//! `DynamoDB` makes no stream record of a write that leaves an item as it was; the crate makes one of every write.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>

/// Keeps a record out of the stream whose two images are the same, whatever the order of their attributes. Where the
/// stream's view leaves one of them out there is nothing to compare, and the record stays.
pub(super) const NO_RECORD: &str = "CREATE TRIGGER IF NOT EXISTS onceward_stream_unchanged \
     BEFORE INSERT ON _stream_records \
     WHEN NEW.event_name = 'MODIFY' AND length(NEW.old_image) = length(NEW.new_image) \
     AND NOT EXISTS (SELECT fullkey, type, atom FROM json_tree(NEW.old_image) \
        EXCEPT SELECT fullkey, type, atom FROM json_tree(NEW.new_image)) \
     AND NOT EXISTS (SELECT fullkey, type, atom FROM json_tree(NEW.new_image) \
        EXCEPT SELECT fullkey, type, atom FROM json_tree(NEW.old_image)) \
     BEGIN SELECT RAISE(IGNORE); END";
