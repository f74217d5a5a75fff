mod dead_letters;
mod trial;
mod visibility;

use super::CloudCase;

pub(super) fn cases() -> Vec<CloudCase> {
    [dead_letters::cases(), visibility::cases()].concat()
}
