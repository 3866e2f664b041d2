import { account, allow, deny, eventsService, otherAccount, otherRoot, type Row, roleArn, root, sessionArn, user, userArn } from './row.ts';

const asRole = { Principal: { AWS: roleArn } };
const asSession = { Principal: { AWS: sessionArn } };
const asUser = { Principal: { AWS: userArn } };
const asAccount = { Principal: { AWS: `arn:aws:iam::${account}:root` } };
const asEveryone = { Principal: '*' as const };
const elsewhere = { Action: 'secretsmanager:DescribeSecret' };

/** IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access", one account. */
export const oneAccount: readonly Row[] = [
  { name: 'nothing is allowed without any policy', reason: 'implicit-deny', says: 'no identity policy' },
  { name: 'an identity policy allows', identity: [allow('Read')], reason: 'allow', deciding: 'identity/Read' },
  { name: 'an identity policy for another action allows nothing', identity: [allow('Read', elsewhere)], reason: 'implicit-deny' },
  {
    name: 'an explicit deny beats an allow in the same policy',
    identity: [allow('Read'), deny('No')],
    reason: 'explicit-deny',
    deciding: 'identity/No',
    says: 'No (identity)',
  },
  {
    name: 'a deny in the boundary beats every allow',
    identity: [allow('Read')],
    boundary: [allow('Ceiling'), deny('No')],
    reason: 'explicit-deny',
    deciding: 'boundary/No',
  },
  {
    name: 'a deny in a session policy beats every allow',
    identity: [allow('Read')],
    session: [[allow('Ceiling'), deny('No')]],
    reason: 'explicit-deny',
    deciding: 'session/No',
  },
  {
    name: 'a deny in the resource policy beats every allow',
    identity: [allow('Read')],
    resourcePolicy: [deny('No', asEveryone)],
    reason: 'explicit-deny',
    deciding: 'resource/No',
  },
  {
    name: 'every deny that matches is reported, the first as deciding',
    identity: [allow('Read'), deny('First'), deny('Elsewhere', elsewhere)],
    boundary: [deny('Second')],
    session: [[deny('Third')]],
    resourcePolicy: [deny('Fourth', asRole)],
    reason: 'explicit-deny',
    deciding: 'identity/First',
    denies: ['identity/First', 'boundary/Second', 'session/Third', 'resource/Fourth'],
  },
  {
    name: 'a statement without Sid is called by its index',
    identity: [allow('Read'), { Effect: 'Deny', Action: '*', Resource: '*' }],
    reason: 'explicit-deny',
    deciding: 'identity/#1',
  },
  {
    name: 'a resource policy alone lets a user in',
    principal: user,
    resourcePolicy: [allow('Open', asUser)],
    reason: 'allow',
    deciding: 'resource/Open',
  },
  { name: 'a resource policy alone lets a role in', resourcePolicy: [allow('Open', asRole)], reason: 'allow', deciding: 'resource/Open' },
  {
    name: 'a resource policy alone lets a session in',
    resourcePolicy: [allow('Open', asSession)],
    reason: 'allow',
    deciding: 'resource/Open',
  },
  {
    name: 'a resource policy for everyone lets a session in',
    resourcePolicy: [allow('Open', asEveryone)],
    reason: 'allow',
    deciding: 'resource/Open',
  },
  {
    name: 'a resource policy that names the account only delegates',
    resourcePolicy: [allow('Delegate', asAccount)],
    reason: 'implicit-deny',
    says: 'no identity policy',
  },
  {
    name: 'delegation to the account lets its identity policy decide',
    identity: [allow('Read')],
    resourcePolicy: [allow('Delegate', asAccount)],
    reason: 'allow',
    deciding: 'identity/Read',
  },
  {
    name: 'the account may be named by its bare number',
    principal: user,
    resourcePolicy: [deny('No', { Principal: { AWS: account } })],
    identity: [allow('Read')],
    reason: 'explicit-deny',
    deciding: 'resource/No',
  },
];

export const limits: readonly Row[] = [
  { name: 'a boundary allows nothing by itself', boundary: [allow('Ceiling')], reason: 'implicit-deny', says: 'no identity policy' },
  {
    name: 'boundary and identity policy together allow',
    identity: [allow('Read')],
    boundary: [allow('Ceiling')],
    reason: 'allow',
    deciding: 'identity/Read',
  },
  {
    name: 'a boundary without the action limits an identity policy',
    identity: [allow('Read')],
    boundary: [allow('Ceiling', elsewhere)],
    reason: 'implicit-deny',
    says: 'permissions boundary',
  },
  { name: 'a session policy allows nothing by itself', session: [[allow('Ceiling')]], reason: 'implicit-deny', says: 'no identity policy' },
  {
    name: 'a session policy without the action limits an identity policy',
    identity: [allow('Read')],
    session: [[allow('Ceiling', elsewhere)]],
    reason: 'implicit-deny',
    says: 'no session policy',
  },
  {
    name: 'one of several session policies suffices',
    identity: [allow('Read')],
    session: [[allow('Ceiling', elsewhere)], [allow('Wide')]],
    reason: 'allow',
    deciding: 'identity/Read',
  },
  {
    name: 'an empty list of session policies limits nothing',
    identity: [allow('Read')],
    session: [],
    reason: 'allow',
    deciding: 'identity/Read',
  },
  {
    name: 'identity, boundary and session policy must all allow',
    identity: [allow('Read')],
    boundary: [allow('Ceiling')],
    session: [[allow('Ceiling')]],
    reason: 'allow',
    deciding: 'identity/Read',
  },
  {
    name: 'a resource policy naming the role is limited by the boundary',
    boundary: [allow('Ceiling', elsewhere)],
    resourcePolicy: [allow('Open', asRole)],
    reason: 'implicit-deny',
    says: 'permissions boundary',
  },
  {
    name: 'a resource policy naming the role is limited by the session policy',
    session: [[allow('Ceiling', elsewhere)]],
    resourcePolicy: [allow('Open', asRole)],
    reason: 'implicit-deny',
    says: 'no session policy',
  },
  {
    name: 'a resource policy naming the session escapes what boundary and session policy leave out',
    boundary: [allow('Ceiling', elsewhere)],
    session: [[allow('Ceiling', elsewhere)]],
    resourcePolicy: [allow('Open', asSession)],
    reason: 'allow',
    deciding: 'resource/Open',
  },
  {
    name: 'a resource policy for everyone with aws:PrincipalArn escapes what the boundary leaves out',
    boundary: [allow('Ceiling', elsewhere)],
    resourcePolicy: [allow('Open', { ...asEveryone, Condition: { ArnEquals: { 'aws:PrincipalArn': roleArn } } })],
    context: { 'aws:PrincipalArn': roleArn },
    reason: 'allow',
    deciding: 'resource/Open',
  },
  {
    name: 'the nearest naming counts when role and session are both named',
    boundary: [allow('Ceiling', elsewhere)],
    resourcePolicy: [allow('Role', asRole), allow('Session', asSession)],
    reason: 'allow',
    deciding: 'resource/Session',
  },
  {
    name: 'a nearer naming whose condition fails does not count',
    boundary: [allow('Ceiling', elsewhere)],
    resourcePolicy: [allow('Role', asRole), allow('Session', { ...asSession, Condition: { Bool: { 'aws:SecureTransport': 'true' } } })],
    reason: 'implicit-deny',
  },
  {
    name: 'an explicit deny in the boundary holds against a resource policy naming the session',
    boundary: [allow('Ceiling'), deny('No')],
    resourcePolicy: [allow('Open', asSession)],
    reason: 'explicit-deny',
    deciding: 'boundary/No',
  },
  {
    name: 'a user named by the resource policy is not limited by what the boundary leaves out',
    principal: user,
    boundary: [allow('Ceiling', elsewhere)],
    resourcePolicy: [allow('Open', asUser)],
    reason: 'allow',
    deciding: 'resource/Open',
  },
  {
    name: 'a user let in by delegation is limited by the boundary',
    principal: user,
    identity: [allow('Read')],
    boundary: [allow('Ceiling', elsewhere)],
    resourcePolicy: [allow('Delegate', asAccount)],
    reason: 'implicit-deny',
    says: 'permissions boundary',
  },
];

const inOtherAccount = { resourceAccountId: otherAccount };

/** IAM User Guide, "Cross-account policy evaluation logic": both sides must allow. */
export const acrossAccounts: readonly Row[] = [
  {
    name: 'the identity side alone does not reach another account',
    ...inOtherAccount,
    identity: [allow('Read')],
    reason: 'implicit-deny',
    says: otherAccount,
  },
  {
    name: 'the resource side alone does not let another account in',
    ...inOtherAccount,
    resourcePolicy: [allow('Open', asRole)],
    reason: 'implicit-deny',
  },
  {
    name: 'both sides together allow',
    ...inOtherAccount,
    identity: [allow('Read')],
    resourcePolicy: [allow('Open', asRole)],
    reason: 'allow',
    deciding: 'resource/Open',
  },
  {
    name: 'naming the caller’s account on the resource side suffices with the identity side',
    ...inOtherAccount,
    identity: [allow('Read')],
    resourcePolicy: [allow('Open', asAccount)],
    reason: 'allow',
    deciding: 'resource/Open',
  },
  {
    name: 'even a resource policy naming the session needs the identity side',
    ...inOtherAccount,
    resourcePolicy: [allow('Open', asSession)],
    reason: 'implicit-deny',
    says: 'no identity policy',
  },
  {
    name: 'the boundary limits a caller from another account, though the session is named',
    ...inOtherAccount,
    identity: [allow('Read')],
    boundary: [allow('Ceiling', elsewhere)],
    resourcePolicy: [allow('Open', asSession)],
    reason: 'implicit-deny',
    says: 'permissions boundary',
  },
  {
    name: 'a deny on either side wins',
    ...inOtherAccount,
    identity: [allow('Read')],
    resourcePolicy: [allow('Open', asRole), deny('No', asEveryone)],
    reason: 'explicit-deny',
    deciding: 'resource/No',
  },
  { name: 'the root user of another account needs the resource side', principal: otherRoot, reason: 'implicit-deny' },
  {
    name: 'the root user of another account comes in when its account is named',
    principal: otherRoot,
    resourcePolicy: [allow('Open', { Principal: { AWS: otherAccount } })],
    reason: 'allow',
    deciding: 'resource/Open',
  },
];

const required = { resourcePolicyRequired: true };

/** KMS key policies and role trust policies must themselves allow: IAM User Guide, same page as for one account, "Resource-based policies". */
export const policyRequired: readonly Row[] = [
  {
    ...required,
    name: 'without an allow of the key policy the identity policy is not enough',
    identity: [allow('Use')],
    reason: 'implicit-deny',
    says: 'resource policy',
  },
  {
    ...required,
    name: 'a key policy naming the role suffices',
    resourcePolicy: [allow('Use', asRole)],
    reason: 'allow',
    deciding: 'resource/Use',
  },
  {
    ...required,
    name: 'a key policy naming the account needs the identity policy too',
    resourcePolicy: [allow('Delegate', asAccount)],
    reason: 'implicit-deny',
  },
  {
    ...required,
    name: 'a key policy naming the account and the identity policy together allow',
    identity: [allow('Use')],
    resourcePolicy: [allow('Delegate', asAccount)],
    reason: 'allow',
    deciding: 'identity/Use',
  },
  {
    ...required,
    name: 'a key policy naming someone else is not enough with the identity policy',
    identity: [allow('Use')],
    resourcePolicy: [allow('Other', asUser)],
    reason: 'implicit-deny',
    says: 'resource policy',
  },
  {
    ...required,
    name: 'the root user is refused where the key policy does not name the account',
    principal: root,
    resourcePolicy: [allow('Other', asUser)],
    reason: 'implicit-deny',
  },
  {
    ...required,
    name: 'the root user is allowed where the key policy names the account',
    principal: root,
    resourcePolicy: [allow('Owner', asAccount)],
    reason: 'allow',
    deciding: 'resource/Owner',
  },
];

export const rootAndServices: readonly Row[] = [
  { name: 'the root user is allowed everything in its account', principal: root, reason: 'allow' },
  {
    name: 'an explicit deny of a resource policy binds the root user',
    principal: root,
    resourcePolicy: [deny('No', asEveryone)],
    reason: 'explicit-deny',
    deciding: 'resource/No',
  },
  {
    name: 'a service is let in by the resource policy that names it',
    principal: eventsService,
    resourcePolicy: [allow('Events', { Principal: { Service: 'events.amazonaws.com' } })],
    reason: 'allow',
    deciding: 'resource/Events',
  },
  {
    name: 'a service is not let in by a policy naming another service',
    principal: eventsService,
    resourcePolicy: [allow('Other', { Principal: { Service: 'sns.amazonaws.com' } })],
    reason: 'implicit-deny',
    says: 'events.amazonaws.com',
  },
  {
    name: 'a service is not let in by a policy naming the account',
    principal: eventsService,
    resourcePolicy: [allow('Owner', asAccount)],
    reason: 'implicit-deny',
  },
  { name: 'a service has no identity policies', principal: eventsService, identity: [allow('Read')], reason: 'implicit-deny' },
  {
    name: 'a service is bound to aws:SourceArn',
    principal: eventsService,
    resourcePolicy: [
      allow('Events', {
        Principal: { Service: 'events.amazonaws.com' },
        Condition: { ArnEquals: { 'aws:SourceArn': 'arn:aws:events:us-east-1:111122223333:rule/bus/*' } },
      }),
    ],
    context: { 'aws:SourceArn': 'arn:aws:events:us-east-1:444455556666:rule/bus/mine' },
    reason: 'implicit-deny',
  },
  {
    name: 'a deny for everyone binds a service',
    principal: eventsService,
    resourcePolicy: [allow('Events', { Principal: { Service: 'events.amazonaws.com' } }), deny('No', asEveryone)],
    reason: 'explicit-deny',
    deciding: 'resource/No',
  },
];
