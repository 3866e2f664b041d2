/**
 * The condition keys a policy may name (IAM User Guide, "AWS global condition context keys", "IAM and AWS STS condition context keys", and the
 * Service Authorization Reference of each service). A key is `one`: at most one value in a request; `many`: needs ForAllValues or ForAnyValue;
 * `either`: documented with both (EventBridge's keys carry one value for PutRule, several for PutEvents).
 */
type Cardinality = 'one' | 'many' | 'either';

const single = `
  aws:AssumedRoot aws:CalledViaFirst aws:CalledViaLast aws:CurrentTime aws:EpochTime aws:FederatedProvider aws:MultiFactorAuthAge
  aws:MultiFactorAuthPresent aws:PrincipalAccount aws:PrincipalArn aws:PrincipalIsAWSService aws:PrincipalOrgID aws:PrincipalServiceName
  aws:PrincipalType aws:Referer aws:RequestedRegion aws:ResourceAccount aws:ResourceOrgID aws:SecureTransport aws:SourceAccount aws:SourceArn
  aws:SourceIdentity aws:SourceIp aws:SourceOrgID aws:SourceOwner aws:SourceVpc aws:SourceVpcArn aws:SourceVpce aws:TokenIssueTime
  aws:UserAgent aws:userid aws:username aws:ViaAWSService aws:VpceAccount aws:VpceOrgID aws:VpcSourceIp
  sts:AWSServiceName sts:DurationSeconds sts:ExternalId sts:RoleSessionName sts:SigningAlgorithm sts:SourceIdentity sts:TaskPolicyArn
  secretsmanager:BlockPublicPolicy secretsmanager:Description secretsmanager:ForceDeleteWithoutRecovery
  secretsmanager:ForceOverwriteReplicaSecret secretsmanager:KmsKeyArn secretsmanager:KmsKeyId secretsmanager:ModifyRotationRules
  secretsmanager:Name secretsmanager:RecoveryWindowInDays secretsmanager:RotateImmediately secretsmanager:RotationLambdaARN
  secretsmanager:SecretId secretsmanager:SecretPrimaryRegion secretsmanager:Type secretsmanager:VersionId secretsmanager:VersionStage
  secretsmanager:resource/AllowRotationLambdaArn
  kms:BypassPolicyLockoutSafetyCheck kms:CallerAccount kms:CustomerMasterKeySpec kms:CustomerMasterKeyUsage kms:DataKeyPairSpec
  kms:EncryptionAlgorithm kms:ExpirationModel kms:GrantConstraintType kms:GrantIsForAWSResource kms:GranteePrincipal
  kms:KeyAgreementAlgorithm kms:KeyOrigin kms:KeySpec kms:KeyUsage kms:MacAlgorithm kms:MessageType kms:MultiRegion kms:MultiRegionKeyType
  kms:PrimaryRegion kms:ReEncryptOnSameKey kms:ReplicaRegion kms:RequestAlias kms:RetiringPrincipal kms:RotationPeriodInDays
  kms:ScheduleKeyDeletionPendingWindowInDays kms:SigningAlgorithm kms:ValidTo kms:ViaService kms:WrappingAlgorithm kms:WrappingKeySpec
  dynamodb:EnclosingOperation dynamodb:FullTableScan dynamodb:ReturnConsumedCapacity dynamodb:ReturnValues dynamodb:Select
  events:creatorAccount events:detail.eventTypeCode events:detail.service events:detail.userIdentity.principalId events:eventBusInvocation
  events:ManagedBy
  iam:AssociatedResourceArn iam:AWSServiceName iam:OrganizationsPolicyId iam:PassedToService iam:PermissionsBoundary iam:PolicyARN
  iam:ServiceSpecificCredentialAgeDays iam:ServiceSpecificCredentialServiceName
  lambda:CodeSigningConfigArn lambda:EventSourceToken lambda:FunctionArn lambda:FunctionUrlAuthType lambda:InvokedViaFunctionUrl
  lambda:Principal lambda:SourceFunctionArn
  logs:DeliveryDestinationResourceArn logs:DestinationArn
  bedrock:BearerTokenType bedrock:GuardrailIdentifier bedrock:InferenceProfileArn bedrock:PromptRouterArn bedrock:ServiceTier
  cloudformation:ChangeSetName cloudformation:CreateAction cloudformation:RoleArn cloudformation:StackPolicyUrl
  cloudformation:TemplateUrl
  s3:authType s3:delimiter s3:if-match s3:if-none-match s3:max-keys s3:prefix s3:ResourceAccount s3:signatureAge s3:signatureversion
  s3:TlsVersion s3:VersionId s3:x-amz-acl s3:x-amz-content-sha256 s3:x-amz-copy-source s3:x-amz-metadata-directive
  s3:x-amz-object-ownership s3:x-amz-server-side-encryption s3:x-amz-server-side-encryption-aws-kms-key-id s3:x-amz-storage-class`;

const multi = `
  aws:CalledVia aws:PrincipalOrgPaths aws:PrincipalServiceNamesList aws:ResourceOrgPaths aws:SourceOrgPaths aws:TagKeys aws:VpceOrgPaths
  sts:IdentityTokenAudience sts:RequestContextProviders sts:TransitiveTagKeys
  secretsmanager:AddReplicaRegions
  kms:EncryptionContextKeys kms:GrantOperations kms:ResourceAliases
  dynamodb:Attributes dynamodb:FirstPartitionKeyValues dynamodb:FourthPartitionKeyValues dynamodb:LeadingKeys
  dynamodb:SecondPartitionKeyValues dynamodb:ThirdPartitionKeyValues
  events:EventBusArn lambda:Layer lambda:SecurityGroupIds lambda:SubnetIds lambda:VpcIds logs:LogGeneratingResourceArns
  cloudformation:ImportResourceTypes cloudformation:ResourceTypes s3:RequestObjectTagKeys`;

const mixed = 'events:detail-type events:source events:TargetArn';

/** A name follows the prefix: a tag key, a key of the encryption context. One value each. */
const prefixes = [
  'aws:PrincipalTag/',
  'aws:RequestTag/',
  'aws:ResourceTag/',
  'iam:ResourceTag/',
  'secretsmanager:ResourceTag/',
  'kms:EncryptionContext:',
  'sts:RequestContext/',
  's3:ExistingObjectTag/',
  's3:RequestObjectTag/',
].map((prefix) => prefix.toLowerCase());

const cardinalities = new Map<string, Cardinality>();
for (const [names, cardinality] of [
  [single, 'one'],
  [multi, 'many'],
  [mixed, 'either'],
] as const) {
  for (const name of names.trim().split(/\s+/)) cardinalities.set(name.toLowerCase(), cardinality);
}

/** How many values a key may hold, or undefined for a key the catalog does not know. The name in any case, e.g. `aws:principaltag/TenantId`. */
export function keyCardinality(name: string): Cardinality | undefined {
  const key = name.toLowerCase();
  const listed = cardinalities.get(key);
  if (listed !== undefined) return listed;
  return prefixes.some((prefix) => key.startsWith(prefix) && key.length > prefix.length) ? 'one' : undefined;
}
