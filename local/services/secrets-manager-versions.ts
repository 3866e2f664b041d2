/** Versions and staging labels: pure rules on one secret. Source: Secrets Manager User Guide, "Secret versions"; API Reference, UpdateSecretVersionStage. */
import { AwsError } from '../core/aws-error.ts';
import type { Secret, SecretVersion } from './secrets-manager-store.ts';

const maxVersions = 100;
/** Labels of all versions of a secret together. Source: User Guide, "AWS Secrets Manager quotas". */
const maxStages = 20;
const pruneAfterMs = 86_400_000;

function versionWith(secret: Secret, stage: string): SecretVersion | undefined {
  return [...secret.versions.values()].find((version) => version.stages.has(stage));
}

/** The version GetSecretValue is asked for; AWSCURRENT when the request names neither. Throws when there is none, or when ID and label disagree. */
export function requestedVersion(secret: Secret, versionId: string | undefined, stage: string | undefined): SecretVersion {
  const version = versionId === undefined ? versionWith(secret, stage ?? 'AWSCURRENT') : secret.versions.get(versionId);
  if (version === undefined) {
    const what = versionId === undefined ? `staging label: ${stage ?? 'AWSCURRENT'}` : `VersionId: ${versionId}`;
    throw new AwsError('ResourceNotFoundException', `Secrets Manager can't find the specified secret value for ${what}`);
  }
  if (stage !== undefined && !version.stages.has(stage)) {
    throw new AwsError('InvalidRequestException', 'You provided a VersionStage that is not associated to the provided VersionId.');
  }
  return version;
}

/**
 * Adds a version and moves its labels to it. AWSCURRENT leaves AWSPREVIOUS on the version it comes from. Throws LimitExceededException
 * when 100 versions are in use or younger than a day (only deprecated ones may go, and never on their first day), or when there would be too many labels.
 */
export function addVersion(secret: Secret, version: Omit<SecretVersion, 'stages'>, stages: readonly string[]): void {
  checkStages(secret, stages);
  if (secret.versions.size >= maxVersions) {
    const oldest = [...secret.versions.values()].find((old) => old.stages.size === 0 && version.createdAt - old.createdAt >= pruneAfterMs);
    if (oldest === undefined) throw new AwsError('LimitExceededException', `A secret has at most ${maxVersions} versions.`);
    secret.versions.delete(oldest.id);
  }
  const added: SecretVersion = { ...version, stages: new Set() };
  secret.versions.set(added.id, added);
  for (const stage of stages) attach(secret, stage, added);
}

/**
 * UpdateSecretVersionStage. A label that is on another version moves only when the request names that version too, so that two writers
 * cannot both believe to have moved it. AWSCURRENT can be moved but not taken away.
 */
export function moveStage(secret: Secret, stage: string, from: string | undefined, to: string | undefined): void {
  if (from === undefined && to === undefined) {
    throw new AwsError('InvalidParameterException', 'You must specify RemoveFromVersionId, MoveToVersionId, or both.');
  }
  const holder = versionWith(secret, stage);
  const target = to === undefined ? undefined : namedVersion(secret, to);
  if (from !== undefined) namedVersion(secret, from);
  if (from !== undefined && holder?.id !== from) {
    throw new AwsError('InvalidParameterException', `The staging label ${stage} isn't attached to version ${from}.`);
  }
  if (target === undefined) {
    if (stage === 'AWSCURRENT')
      throw new AwsError('InvalidParameterException', "You can't remove the staging label AWSCURRENT, only move it to another version.");
    holder?.stages.delete(stage);
    return;
  }
  if (holder === target) return;
  if (holder !== undefined && from === undefined) {
    throw new AwsError(
      'InvalidParameterException',
      `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${holder.id}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
  }
  checkStages(secret, [stage]);
  attach(secret, stage, target);
}

/** A label that moves takes no more room; AWSCURRENT that moves brings AWSPREVIOUS. */
function checkStages(secret: Secret, added: readonly string[]): void {
  const all = new Set([...secret.versions.values()].flatMap((version) => [...version.stages]));
  if (added.includes('AWSCURRENT') && all.has('AWSCURRENT')) all.add('AWSPREVIOUS');
  for (const stage of added) all.add(stage);
  if (all.size > maxStages)
    throw new AwsError('LimitExceededException', `The versions of a secret have at most ${maxStages} staging labels in all.`);
}

function attach(secret: Secret, stage: string, target: SecretVersion): void {
  const holder = versionWith(secret, stage);
  if (holder === target) return;
  holder?.stages.delete(stage);
  target.stages.add(stage);
  if (stage !== 'AWSCURRENT') return;
  versionWith(secret, 'AWSPREVIOUS')?.stages.delete('AWSPREVIOUS');
  holder?.stages.add('AWSPREVIOUS');
}

function namedVersion(secret: Secret, id: string): SecretVersion {
  const version = secret.versions.get(id);
  if (version === undefined)
    throw new AwsError('ResourceNotFoundException', `Secrets Manager can't find the specified secret value for VersionId: ${id}`);
  return version;
}
