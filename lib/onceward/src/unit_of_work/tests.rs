use serde::Deserialize;

use super::*;

#[derive(Serialize, Deserialize)]
struct Row {
    id: u32,
}

impl Entity for Row {
    const TABLE: &'static str = "rows";

    fn key(&self) -> Key {
        Key::new("pk", self.id.to_string())
    }
}

#[derive(Serialize, Deserialize)]
struct Happened;

impl Event for Happened {
    const TYPE: &'static str = "it.happened";

    fn subject(&self) -> String {
        "s".to_owned()
    }
}

#[test]
fn touching_a_row_twice_is_refused_with_its_name() {
    let unit = UnitOfWork::new().put(&Row { id: 7 }, absent()).check::<Row>(Key::new("pk", "7"), present());
    let error = unit.into_parts().err().unwrap();
    assert_eq!(error, UnitOfWorkError::SameRowTwice { row: "rows/7".to_owned() });
}

#[test]
fn a_hundred_actions_are_one_too_many() {
    let unit = |count| (0..count).fold(UnitOfWork::new(), |unit, id| unit.put(&Row { id }, absent()));
    assert!(unit(99).into_parts().is_ok());
    let error = unit(100).into_parts().err().unwrap();
    assert_eq!(error, UnitOfWorkError::TooLarge { what: "actions in a unit of work", found: 100, limit: 99 });
}

#[test]
fn too_many_events_and_too_long_an_answer_are_refused() {
    let unit = (0..=EVENTS_MAX).fold(UnitOfWork::new(), |unit, _| unit.publish(&Happened));
    assert!(matches!(unit.into_parts().err().unwrap(), UnitOfWorkError::TooLarge { found: 51, .. }));
    let unit = UnitOfWork::new().answer(&"x".repeat(ANSWER_BYTES_MAX));
    assert!(matches!(unit.into_parts().err().unwrap(), UnitOfWorkError::TooLarge { .. }));
}

#[test]
fn a_put_item_carries_its_key() {
    let parts = UnitOfWork::new().put(&Row { id: 7 }, absent()).into_parts().ok().unwrap();
    let item = parts.actions[0].put_item().unwrap();
    assert_eq!(item["pk"], AttributeValue::S("7".to_owned()));
    assert_eq!(item["id"], AttributeValue::N("7".to_owned()));
}
