/**
 * The actions a policy may name and a request may ask for. Actions are the permissions of the Service Authorization Reference ("Actions,
 * resources, and condition keys"), not API operations: `Invoke` asks for `lambda:InvokeFunction`, a batch asks for its single form, a
 * transaction or PartiQL statement for each item's own action. What is not listed is refused by name, because a policy that misspells an
 * action is silently useless in AWS.
 */
import { globMatches, globPattern } from './wildcards.ts';

const actionsByService: Readonly<Record<string, string>> = {
  apigateway: `
    AddCertificateToDomain CreateAccessAssociation DELETE GET HEAD OPTIONS PATCH POST PUT RejectAccessAssociation
    RemoveCertificateFromDomain SetWebACL UpdateDomainNameManagementPolicy UpdateDomainNamePolicy UpdateRestApiPolicy`,
  'execute-api': 'Invoke InvalidateCache ManageConnections',
  secretsmanager: `
    BatchGetSecretValue CancelRotateSecret CreateSecret DeleteResourcePolicy DeleteSecret DescribeSecret GetRandomPassword
    GetResourcePolicy GetSecretValue ListSecretVersionIds ListSecrets PutResourcePolicy PutSecretValue RemoveRegionsFromReplication
    ReplicateSecretToRegions RestoreSecret RotateSecret StopReplicationToReplica TagResource UntagResource UpdateSecret
    UpdateSecretVersionStage ValidateResourcePolicy`,
  sts: `
    AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity AssumeRoot DecodeAuthorizationMessage GetAccessKeyInfo GetCallerIdentity
    GetDelegatedAccessToken GetFederationToken GetServiceBearerToken GetSessionToken GetWebIdentityToken SetContext SetSourceIdentity
    TagGetWebIdentityToken TagSession`,
  kms: `
    CancelKeyDeletion ConnectCustomKeyStore CreateAlias CreateCustomKeyStore CreateGrant CreateKey Decapsulate Decrypt DeleteAlias
    DeleteCustomKeyStore DeleteImportedKeyMaterial DeriveSharedSecret DescribeCustomKeyStores DescribeKey DisableKey DisableKeyRotation
    DisconnectCustomKeyStore EnableKey EnableKeyRotation Encapsulate Encrypt GenerateDataKey GenerateDataKeyPair
    GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext GenerateMac GenerateRandom GetKeyLastUsage GetKeyPolicy
    GetKeyRotationStatus GetParametersForImport GetPublicKey ImportKeyMaterial ListAliases ListGrants ListKeyPolicies ListKeyRotations
    ListKeys ListResourceTags ListRetirableGrants PutKeyPolicy ReEncryptFrom ReEncryptTo ReplicateKey RetireGrant RevokeGrant
    RotateKeyOnDemand ScheduleKeyDeletion Sign SynchronizeMultiRegionKey TagResource UntagResource UpdateAlias UpdateCustomKeyStore
    UpdateKeyDescription UpdatePrimaryRegion Verify VerifyMac`,
  dynamodb: `
    AssociateTableReplica BatchGetItem BatchWriteItem CancelBulkOperation ConditionCheckItem CreateBackup CreateGlobalTable CreateTable
    CreateTableReplica DeleteBackup DeleteItem DeleteResourcePolicy DeleteTable DeleteTableReplica DescribeBackup DescribeBulkOperation
    DescribeContinuousBackups DescribeContributorInsights DescribeEndpoints DescribeExport DescribeGlobalTable DescribeGlobalTableSettings
    DescribeImport DescribeKinesisStreamingDestination DescribeLimits DescribeReservedCapacity DescribeReservedCapacityOfferings
    DescribeStream DescribeTable DescribeTableReplicaAutoScaling DescribeTimeToLive DisableKinesisStreamingDestination
    EnableKinesisStreamingDestination ExportTableToPointInTime GetAbacStatus GetItem GetRecords GetResourcePolicy GetShardIterator
    ImportTable ListBackups ListBulkOperations ListContributorInsights ListExports ListGlobalTables ListImports ListStreams ListTables
    ListTagsOfResource PartiQLDelete PartiQLInsert PartiQLSelect PartiQLUpdate PurchaseReservedCapacityOfferings PutItem PutResourcePolicy
    Query ReadDataForReplication RestoreTableFromAwsBackup RestoreTableFromBackup RestoreTableToPointInTime Scan SearchVectors
    StartAwsBackupJob StartBulkPutItems TagResource UntagResource UpdateAbacStatus UpdateContinuousBackups UpdateContributorInsights
    UpdateGlobalTable UpdateGlobalTableSettings UpdateGlobalTableVersion UpdateItem UpdateKinesisStreamingDestination UpdateTable
    UpdateTableReplicaAutoScaling UpdateTimeToLive WriteDataForReplication`,
  events: `
    ActivateEventSource CancelReplay CreateApiDestination CreateArchive CreateConnection CreateEndpoint CreateEventBus
    CreatePartnerEventSource DeactivateEventSource DeauthorizeConnection DeleteApiDestination DeleteArchive DeleteConnection
    DeleteEndpoint DeleteEventBus DeletePartnerEventSource DeleteRule DescribeApiDestination DescribeArchive DescribeConnection
    DescribeEndpoint DescribeEventBus DescribeEventSource DescribePartnerEventSource DescribeReplay DescribeRule DisableRule EnableRule
    InvokeApiDestination ListApiDestinations ListArchives ListConnections ListEndpoints ListEventBuses ListEventSources
    ListPartnerEventSourceAccounts ListPartnerEventSources ListReplays ListRuleNamesByTarget ListRules ListTagsForResource
    ListTargetsByRule PutEvents PutPartnerEvents PutPermission PutRule PutTargets RemovePermission RemoveTargets
    RetrieveConnectionCredentials StartReplay TagResource TestEventPattern UntagResource UpdateApiDestination UpdateArchive
    UpdateConnection UpdateEndpoint UpdateEventBus`,
  sqs: `
    AddPermission CancelMessageMoveTask ChangeMessageVisibility CreateQueue DeleteMessage DeleteQueue GetQueueAttributes GetQueueUrl
    ListDeadLetterSourceQueues ListMessageMoveTasks ListQueueTags ListQueues PurgeQueue ReceiveMessage RemovePermission SendMessage
    SetQueueAttributes StartMessageMoveTask TagQueue UntagQueue`,
  logs: `
    AssociateKmsKey AssociateSourceToS3TableIntegration CancelExportTask CancelImportTask CreateDelivery CreateExportTask CreateImportTask
    CreateLogAnomalyDetector CreateLogDelivery CreateLogGroup CreateLogStream CreateLookupTable CreateScheduledQuery DeleteAccountPolicy
    DeleteDataProtectionPolicy DeleteDelivery DeleteDeliveryDestination DeleteDeliveryDestinationPolicy DeleteDeliverySource
    DeleteDestination DeleteIndexPolicy DeleteIntegration DeleteLogAnomalyDetector DeleteLogDelivery DeleteLogGroup DeleteLogStream
    DeleteLookupTable DeleteMetricFilter DeleteQueryDefinition DeleteResourcePolicy DeleteRetentionPolicy DeleteScheduledQuery
    DeleteSubscriptionFilter DeleteSyslogConfiguration DeleteTransformer DescribeAccountPolicies DescribeConfigurationTemplates
    DescribeDeliveries DescribeDeliveryDestinations DescribeDeliverySources DescribeDestinations DescribeExportTasks DescribeFieldIndexes
    DescribeImportTaskBatches DescribeImportTasks DescribeIndexPolicies DescribeLogGroups DescribeLogStreams DescribeLookupTables
    DescribeMetricFilters DescribeQueries DescribeQueryDefinitions DescribeResourcePolicies DescribeSubscriptionFilters DisassociateKmsKey
    DisassociateSourceFromS3TableIntegration FilterLogEvents GetDataProtectionPolicy GetDelivery GetDeliveryDestination
    GetDeliveryDestinationPolicy GetDeliverySource GetIntegration GetLogAnomalyDetector GetLogDelivery GetLogEvents GetLogFields
    GetLogGroupFields GetLogObject GetLogRecord GetLookupTable GetQueryResults GetScheduledQuery GetScheduledQueryHistory
    GetStorageTierPolicy GetTransformer Link ListAggregateLogGroupSummaries ListAnomalies ListEntitiesForLogGroup ListIntegrations
    ListLogAnomalyDetectors ListLogDeliveries ListLogGroups ListLogGroupsForEntity ListLogGroupsForQuery ListScheduledQueries
    ListSourcesForS3TableIntegration ListSyslogConfigurations ListTagsForResource ListTagsLogGroup PutAccountPolicy
    PutBearerTokenAuthentication PutDataProtectionPolicy PutDeliveryDestination PutDeliveryDestinationPolicy PutDeliverySource
    PutDestination PutDestinationPolicy PutIndexPolicy PutIntegration PutLogEvents PutLogGroupDeletionProtection PutMetricFilter
    PutQueryDefinition PutResourcePolicy PutRetentionPolicy PutStorageTierPolicy PutSubscriptionFilter PutSyslogConfiguration
    PutTransformer StartLiveTail StartQuery StopLiveTail StopQuery TagLogGroup TagResource TestMetricFilter TestTransformer Unmask
    UntagLogGroup UntagResource UpdateAnomaly UpdateDeliveryConfiguration UpdateLogAnomalyDetector UpdateLogDelivery UpdateLookupTable
    UpdateScheduledQuery`,
  lambda: `
    AddLayerVersionPermission AddPermission CheckpointDurableExecution CreateAlias CreateCapacityProvider CreateCodeSigningConfig
    CreateEventSourceMapping CreateFunction CreateFunctionUrlConfig DeleteAlias DeleteCapacityProvider DeleteCodeSigningConfig
    DeleteEventSourceMapping DeleteFunction DeleteFunctionCodeSigningConfig DeleteFunctionConcurrency DeleteFunctionEventInvokeConfig
    DeleteFunctionUrlConfig DeleteLayerVersion DeleteProvisionedConcurrencyConfig DeleteResourcePolicy DisableReplication
    EnableReplication GetAccountSettings GetAlias GetCapacityProvider GetCodeSigningConfig GetDurableExecution GetDurableExecutionHistory
    GetDurableExecutionState GetEventSourceMapping GetFunction GetFunctionCodeSigningConfig GetFunctionConcurrency
    GetFunctionConfiguration GetFunctionEventInvokeConfig GetFunctionRecursionConfig GetFunctionScalingConfig GetFunctionUrlConfig
    GetLayerVersion GetLayerVersionPolicy GetPolicy GetProvisionedConcurrencyConfig GetResourcePolicy GetRuntimeManagementConfig
    InvokeAsync InvokeFunction InvokeFunctionUrl ListAliases ListCapacityProviders ListCodeSigningConfigs ListDurableExecutionsByFunction
    ListEventSourceMappings ListFunctionEventInvokeConfigs ListFunctionUrlConfigs ListFunctionVersionsByCapacityProvider ListFunctions
    ListFunctionsByCodeSigningConfig ListLayerVersions ListLayers ListProvisionedConcurrencyConfigs ListTags ListVersionsByFunction
    PassCapacityProvider PublishLayerVersion PublishVersion PutFunctionCodeSigningConfig PutFunctionConcurrency
    PutFunctionEventInvokeConfig PutFunctionRecursionConfig PutFunctionScalingConfig PutProvisionedConcurrencyConfig PutResourcePolicy
    PutRuntimeManagementConfig RemoveLayerVersionPermission RemovePermission SendDurableExecutionCallbackFailure
    SendDurableExecutionCallbackHeartbeat SendDurableExecutionCallbackSuccess StopDurableExecution TagResource UntagResource UpdateAlias
    UpdateCapacityProvider UpdateCodeSigningConfig UpdateEventSourceMapping UpdateFunctionCode UpdateFunctionCodeSigningConfig
    UpdateFunctionConfiguration UpdateFunctionEventInvokeConfig UpdateFunctionUrlConfig`,
  iam: `
    AcceptDelegationRequest AcquireRole AddClientIDToOpenIDConnectProvider AddRoleToInstanceProfile AddUserToGroup
    AssociateDelegationRequest AttachGroupPolicy AttachRolePolicy AttachUserPolicy ChangePassword CreateAccessKey CreateAccountAlias
    CreateDelegationRequest CreateGroup CreateInstanceProfile CreateLoginProfile CreateOpenIDConnectProvider CreatePolicy
    CreatePolicyVersion CreateRole CreateSAMLProvider CreateServiceLinkedRole CreateServiceSpecificCredential CreateUser
    CreateVirtualMFADevice DeactivateMFADevice DeleteAccessKey DeleteAccountAlias DeleteAccountPasswordPolicy DeleteGroup
    DeleteGroupPolicy DeleteInstanceProfile DeleteLoginProfile DeleteOpenIDConnectProvider DeletePolicy DeletePolicyVersion DeleteRole
    DeleteRolePermissionsBoundary DeleteRolePolicy DeleteSAMLProvider DeleteSSHPublicKey DeleteServerCertificate DeleteServiceLinkedRole
    DeleteServiceSpecificCredential DeleteSigningCertificate DeleteUser DeleteUserPermissionsBoundary DeleteUserPolicy
    DeleteVirtualMFADevice DetachGroupPolicy DetachRolePolicy DetachUserPolicy DisableOrganizationsRootCredentialsManagement
    DisableOrganizationsRootSessions DisableOutboundWebIdentityFederation EnableMFADevice EnableOrganizationsRootCredentialsManagement
    EnableOrganizationsRootSessions EnableOutboundWebIdentityFederation GenerateCredentialReport GenerateOrganizationsAccessReport
    GenerateServiceLastAccessedDetails GetAccessKeyLastUsed GetAccountAuthorizationDetails GetAccountPasswordPolicy GetAccountProperties
    GetAccountSummary GetContextKeysForCustomPolicy GetContextKeysForPrincipalPolicy GetCredentialReport GetDelegationRequest GetGroup
    GetGroupPolicy GetHumanReadableSummary GetInstanceProfile GetLoginProfile GetMFADevice GetOpenIDConnectProvider
    GetOrganizationsAccessReport GetOutboundWebIdentityFederationInfo GetPolicy GetPolicyVersion GetRole GetRolePolicy
    GetRoleTemplateVersion GetSAMLProvider GetSSHPublicKey GetServerCertificate GetServiceLastAccessedDetails
    GetServiceLastAccessedDetailsWithEntities GetServiceLinkedRoleDeletionStatus GetUser GetUserPolicy ListAccessKeys ListAccountAliases
    ListAttachedGroupPolicies ListAttachedRolePolicies ListAttachedUserPolicies ListDelegationRequests ListEntitiesForPolicy
    ListGroupPolicies ListGroups ListGroupsForUser ListInstanceProfileTags ListInstanceProfiles ListInstanceProfilesForRole
    ListMFADeviceTags ListMFADevices ListOpenIDConnectProviderTags ListOpenIDConnectProviders ListOrganizationsFeatures ListPolicies
    ListPoliciesGrantingServiceAccess ListPolicyTags ListPolicyVersions ListRolePolicies ListRoleTags ListRoles ListSAMLProviderTags
    ListSAMLProviders ListSSHPublicKeys ListServerCertificateTags ListServerCertificates ListServiceSpecificCredentials
    ListSigningCertificates ListUserPolicies ListUserTags ListUsers ListVirtualMFADevices PassRole PutAccountProperties PutGroupPolicy
    PutRolePermissionsBoundary PutRolePolicy PutUserPermissionsBoundary PutUserPolicy RejectDelegationRequest
    RemoveClientIDFromOpenIDConnectProvider RemoveRoleFromInstanceProfile RemoveUserFromGroup ResetServiceSpecificCredential
    ResyncMFADevice SendDelegationToken SetDefaultPolicyVersion SetSecurityTokenServicePreferences SimulateCustomPolicy
    SimulatePrincipalPolicy TagInstanceProfile TagMFADevice TagOpenIDConnectProvider TagPolicy TagRole TagSAMLProvider
    TagServerCertificate TagUser UntagInstanceProfile UntagMFADevice UntagOpenIDConnectProvider UntagPolicy UntagRole UntagSAMLProvider
    UntagServerCertificate UntagUser UpdateAccessKey UpdateAccountPasswordPolicy UpdateAssumeRolePolicy UpdateDelegationRequest
    UpdateGroup UpdateLoginProfile UpdateOpenIDConnectProviderThumbprint UpdateRole UpdateRoleDescription UpdateSAMLProvider
    UpdateSSHPublicKey UpdateServerCertificate UpdateServiceSpecificCredential UpdateSigningCertificate UpdateUser UploadSSHPublicKey
    UploadServerCertificate UploadSigningCertificate`,
  tag: `
    DescribeReportCreation GetComplianceSummary GetResources GetTagKeys GetTagValues ListRequiredTags StartReportCreation TagResources
    UntagResources`,
};

/** Services that policies may name although no local service answers for them; their actions are not checked, and never granted here. */
const foreignServices = new Set(
  `access-analyzer account acm application-autoscaling athena autoscaling backup bedrock bedrock-agentcore cloudformation cloudfront
  cloudtrail cloudwatch codebuild cognito-identity cognito-idp config ec2 ecr ecs eks elasticache elasticfilesystem elasticloadbalancing es
  firehose glue guardduty health kinesis organizations pipes pricing rds rds-data rds-db resource-explorer-2 resource-groups route53 s3
  s3tables sagemaker scheduler schemas securityhub servicequotas ses sns ssm ssmmessages states support synthetics trustedadvisor wafv2 xray`.split(
    /\s+/,
  ),
);

/**
 * Of those, the actions that are asked for here: by local services that answer a part of the API, and by the simulator of Bedrock. The full
 * lists are not kept, so a policy that misspells one of these services' actions is not found out.
 */
const askedOfForeignServices: Readonly<Record<string, string>> = {
  'access-analyzer': `CheckNoNewAccess CheckNoPublicAccess`,
  bedrock: `
    CallWithBearerToken GetFoundationModel GetInferenceProfile InvokeModel InvokeModelWithResponseStream ListFoundationModels
    ListInferenceProfiles`,
  s3: `
    AbortMultipartUpload CreateBucket DeleteBucket DeleteBucketPolicy DeleteObject DeleteObjectTagging DeleteObjectVersion GetAccelerateConfiguration
    GetBucketAcl GetBucketLocation GetBucketOwnershipControls GetBucketPolicy GetBucketPolicyStatus GetBucketPublicAccessBlock
    GetBucketTagging GetBucketVersioning GetEncryptionConfiguration GetLifecycleConfiguration GetObject GetObjectAcl GetObjectAttributes
    GetObjectTagging GetObjectVersion ListAllMyBuckets ListBucket ListBucketMultipartUploads ListBucketVersions ListMultipartUploadParts
    PutBucketAcl PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutBucketTagging PutBucketVersioning
    PutEncryptionConfiguration PutLifecycleConfiguration PutObject PutObjectAcl PutObjectTagging`,
  cloudtrail: 'CreateTrail DeleteTrail DescribeTrails GetTrail GetTrailStatus ListTrails StartLogging StopLogging UpdateTrail',
  cloudformation: `
    CancelUpdateStack ContinueUpdateRollback CreateChangeSet CreateStack DeleteChangeSet DeleteStack DescribeChangeSet DescribeStackEvents
    DescribeStackResource DescribeStackResources DescribeStacks ExecuteChangeSet GetStackPolicy GetTemplate GetTemplateSummary
    ListStackResources ListStacks RollbackStack SetStackPolicy TagResource UntagResource UpdateStack UpdateTerminationProtection
    ValidateTemplate`,
  scheduler: `
    CreateSchedule CreateScheduleGroup DeleteSchedule DeleteScheduleGroup GetSchedule GetScheduleGroup ListScheduleGroups ListSchedules
    ListTagsForResource TagResource UntagResource UpdateSchedule`,
  sns: 'CreateTopic DeleteTopic GetTopicAttributes SetTopicAttributes',
};

const knownActions = new Map<string, readonly string[]>(
  Object.entries(actionsByService).map(([service, names]) => [service, names.trim().toLowerCase().split(/\s+/)]),
);
const knownNames = new Set([
  ...[...knownActions].flatMap(([service, names]) => names.map((name) => `${service}:${name}`)),
  ...Object.entries(askedOfForeignServices).flatMap(([service, names]) =>
    names
      .trim()
      .toLowerCase()
      .split(/\s+/)
      .map((name) => `${service}:${name}`),
  ),
]);

/** The services whose actions are kept in full. */
export const knownServices: readonly string[] = Object.keys(actionsByService);

/** The actions of a service as the catalog writes them, e.g. `kms:Decrypt`; none for a service whose actions are not kept in full. */
export function knownActionsOf(service: string): readonly string[] {
  const names = actionsByService[service];
  return names === undefined
    ? []
    : names
        .trim()
        .split(/\s+/)
        .map((name) => `${service}:${name}`);
}

/** Whether a request may ask for this action, e.g. `kms:Decrypt`; case does not matter. */
export function isKnownAction(action: string): boolean {
  return knownNames.has(action.toLowerCase());
}

/** Whether a simulation may ask for this action: one without wildcards, known or of a service that exists only outside the local cloud. */
export function isNameableAction(action: string): boolean {
  return !/[*?]/.test(action) && isKnownActionPattern(action);
}

/**
 * Whether a policy's `Action` or `NotAction` entry names something that exists: `*`, `service:*`, a known action, or a wildcard pattern that
 * covers at least one known action. Anything syntactically right is accepted for a service that exists only outside the local cloud.
 */
export function isKnownActionPattern(pattern: string): boolean {
  if (pattern === '*') return true;
  const [service = '', name = '', ...rest] = pattern.toLowerCase().split(':');
  if (rest.length > 0 || !/^[a-z0-9*?-]+$/.test(name)) return false;
  const names = knownActions.get(service);
  if (names === undefined) return foreignServices.has(service);
  const glob = globPattern(name);
  return names.some((known) => globMatches(glob, known));
}
