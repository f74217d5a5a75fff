use super::{faults, stack};

const SYSTEM: &str = "
Resources:
  Claims:
    Type: AWS::S3::Bucket
    Properties:
      LifecycleConfiguration: {Rules: [{Status: Enabled, ExpirationInDays: 14}]}
      PublicAccessBlockConfiguration: {BlockPublicAcls: true}
  Named: {Type: AWS::S3::Bucket, Properties: {BucketName: my-claims}}
  Allowed: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref Claims, PolicyDocument: {}}}
Outputs:
  Name: {Value: !Ref Claims}
  Arn: {Value: !GetAtt Named.Arn}
";

#[test]
fn buckets_have_names_without_capitals() {
    let stack = stack(SYSTEM);
    let names: Vec<_> = stack.buckets.iter().map(|bucket| bucket.name.as_str()).collect();
    assert_eq!(names, ["onceward-claims", "my-claims"]);
    assert_eq!(
        (stack.outputs["Name"].as_str(), stack.outputs["Arn"].as_str()),
        ("onceward-claims", "arn:aws:s3:::my-claims")
    );
}

#[test]
fn what_buckets_do_not_do_is_refused_by_name() {
    for (property, words) in [
        ("NotificationConfiguration: {}", "Claims.NotificationConfiguration: not supported by the local cloud"),
        ("VersioningConfiguration: {Status: Enabled}", "an object has one version"),
        ("ObjectLockEnabled: true", "objects are never locked"),
    ] {
        let faults = faults(&SYSTEM.replacen(
            "LifecycleConfiguration: {Rules: [{Status: Enabled, ExpirationInDays: 14}]}",
            property,
            1,
        ));
        assert!(faults.len() == 1 && faults[0].contains(words), "{faults:?}");
    }
}
