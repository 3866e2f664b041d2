/** What the page says, in plain words. Nothing here touches the document. */
import type { ListedConnection, ListedCredential } from '../connections-answer.ts';

export type Tone = 'good' | 'waiting' | 'bad' | 'off';

/** What was asked for on this page and does not show in the list yet. */
export type Asked = 'connect' | 'disconnect';

export interface Words {
  readonly tone: Tone;
  /** One short sentence: read out when it changes. */
  readonly state: string;
  /** What to know or to do next. */
  readonly lines: readonly string[];
}

type Condition = Pick<ListedConnection, 'status' | 'reason' | 'requestedUntil' | 'roleName'> & {
  readonly quickCreateUrl?: string | undefined;
};

export function connectionWords(connection: Condition, asked: Asked | undefined): Words {
  if (asked === 'disconnect') return { tone: 'waiting', state: 'Being disconnected', lines: [] };
  if (asked === 'connect') return { tone: 'waiting', state: 'Request sent', lines: ['The next step shows here in a few seconds.'] };
  return { ...stateWords(connection), lines: [...reasonLines(connection), ...nextLines(connection)] };
}

function stateWords({ status }: Condition): Omit<Words, 'lines'> {
  switch (status) {
    case 'pending':
      return { tone: 'waiting', state: 'Waiting for the role' };
    case 'active':
      return { tone: 'good', state: 'Connected' };
    case 'rejected':
      return { tone: 'bad', state: 'The role was found, but is not safe to use' };
    case 'suspended':
      return { tone: 'bad', state: 'Stopped: the role no longer passes the checks' };
    case 'expired':
      return { tone: 'off', state: 'The request has run out' };
    case 'disconnected':
      return { tone: 'off', state: 'Disconnected' };
  }
}

function reasonLines({ reason }: Condition): string[] {
  if (!reason) return [];
  return [reason.message, reason.nextStep].filter((text) => text !== '');
}

function nextLines({ status, requestedUntil, reason, quickCreateUrl }: Condition): string[] {
  switch (status) {
    case 'pending':
      return [
        quickCreateUrl
          ? 'Next: open the link, sign in to this AWS account, and create the stack. There is nothing to copy back.'
          : 'An administrator of your organisation creates the role in this AWS account.',
        `The role is looked for every few minutes until ${timeText(requestedUntil)}.`,
      ];
    case 'rejected':
    case 'suspended':
      return reason ? ['Nothing is called with this role until it passes the checks. Mend it, then check again.'] : ['Check again.'];
    case 'expired':
      return ['No working role was found in time. Connect again for another 24 hours.'];
    case 'disconnected':
      return ['Cordon no longer uses the role. To remove it, delete its stack in CloudFormation.'];
    case 'active':
      return [];
  }
}

/** May be connected once more: what this is called on the button. */
export function againLabel(status: ListedConnection['status']): string | undefined {
  if (status === 'rejected' || status === 'suspended') return 'Check again';
  return status === 'expired' || status === 'disconnected' ? 'Connect again' : undefined;
}

/** @param connected of the AWS account behind it, if there is one */
export function credentialWords(
  { status, source }: Pick<ListedCredential, 'status' | 'source'>,
  connected: ListedConnection['status'] | undefined,
): Omit<Words, 'lines'> {
  if (source === 'customer-role' && status === 'recorded') {
    if (connected === 'active') return { tone: 'good', state: 'In use, through your AWS role' };
    return connected === 'pending'
      ? { tone: 'waiting', state: 'Waiting for the role in your AWS account' }
      : { tone: 'bad', state: 'Not in use: its AWS account is not connected' };
  }
  switch (status) {
    case 'awaiting':
      return { tone: 'waiting', state: 'Waiting for its key' };
    case 'active':
      return { tone: 'good', state: 'In use' };
    case 'recorded':
      return { tone: 'good', state: 'In use, without a stored key' };
    case 'provisioning':
      return { tone: 'waiting', state: 'Being set up' };
    case 'revoked':
      return { tone: 'off', state: 'Revoked' };
    default:
      return { tone: 'bad', state: 'Could not be set up: ask your platform to request it again' };
  }
}

const sources: Readonly<Record<string, string>> = {
  'customer-supplied': 'your own key',
  'customer-role': 'your AWS role',
  'platform-issued': 'made by the platform',
  federated: 'federated sign-in',
};

export function sourceText(source: string): string {
  return sources[source] ?? source;
}

export const serviceTexts: Readonly<Record<string, { readonly name: string; readonly may: string }>> = {
  bedrock: { name: 'Amazon Bedrock', may: 'call foundation models and inference profiles' },
  dynamodb: { name: 'Amazon DynamoDB', may: 'read items of tables whose names begin with cordon-' },
  s3: { name: 'Amazon S3', may: 'read objects of buckets whose names begin with cordon-' },
  sqs: { name: 'Amazon SQS', may: 'send messages to queues whose names begin with cordon-' },
};

/** What the template makes, for these choices. */
export function createdLines(services: readonly string[], regions: readonly string[]): readonly string[] {
  const where = regions.length === 0 ? '' : ` in ${regions.join(', ')}`;
  return [
    'One IAM role, made by a CloudFormation stack that you see before you create it. No user, no access key, nothing that costs money.',
    'Only Cordon can use the role, for 15 minutes at a time, and only with the external ID that belongs to your organisation and this account.',
    ...services.flatMap((service) => {
      const text = serviceTexts[service];
      return text ? [`${text.name}: the role may ${text.may}${where}.`] : [];
    }),
    'The role may read its own settings, so that Cordon can tell you what to mend. It may do nothing else in your account.',
  ];
}

/** Date and time where the reader is. */
export function timeText(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' }).format(time);
}

export function lastUsedText(iso: string | undefined): string {
  return iso === undefined ? 'not in the last 30 days' : timeText(iso);
}
