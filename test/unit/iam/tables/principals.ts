import { account, allow, deny, otherAccount, type Row, roleArn, session, sessionArn, user, userArn } from './row.ts';

const accountArn = `arn:aws:iam::${account}:root`;
const exempt = (AWS: readonly string[]) => deny('AllBut', { NotPrincipal: { AWS } });
const assume = { action: 'sts:AssumeRole', resource: `arn:aws:iam::${account}:role/cordon/ByocConnector`, resourcePolicyRequired: true };

export const principals: readonly Row[] = [
  {
    name: '{AWS: *} means everyone',
    resourcePolicy: [allow('Open', { Principal: { AWS: '*' } })],
    reason: 'allow',
    deciding: 'resource/Open',
  },
  {
    name: 'one of several principals suffices',
    resourcePolicy: [allow('Open', { Principal: { AWS: [userArn, roleArn] } })],
    reason: 'allow',
    deciding: 'resource/Open',
  },
  {
    name: 'a role of the same name under another path is another role',
    resourcePolicy: [allow('Open', { Principal: { AWS: `arn:aws:iam::${account}:role/TenantReader` } })],
    reason: 'implicit-deny',
  },
  {
    name: 'names of principals compare with case',
    resourcePolicy: [allow('Open', { Principal: { AWS: roleArn.replace('Tenant', 'tenant') } })],
    reason: 'implicit-deny',
  },
  {
    name: 'another session of the role is not the one named',
    resourcePolicy: [allow('Open', { Principal: { AWS: sessionArn.replace('/acme', '/bolt') } })],
    reason: 'implicit-deny',
  },
  {
    name: 'a unique ID of a deleted role matches nobody',
    resourcePolicy: [allow('Open', { Principal: { AWS: 'AROAQWERTYUIOPASDFGHJ' } })],
    reason: 'implicit-deny',
  },
  {
    name: 'a federated principal matches no role session',
    resourcePolicy: [allow('Open', { Principal: { Federated: 'accounts.google.com' } })],
    reason: 'implicit-deny',
  },
  {
    name: 'a deny naming the account binds its sessions',
    identity: [allow('Read')],
    resourcePolicy: [deny('No', { Principal: { AWS: account } })],
    reason: 'explicit-deny',
    deciding: 'resource/No',
  },
  {
    name: 'a deny naming the role binds its sessions',
    identity: [allow('Read')],
    resourcePolicy: [deny('No', { Principal: { AWS: roleArn } })],
    reason: 'explicit-deny',
    deciding: 'resource/No',
  },
  {
    name: 'a deny naming another account binds nobody here',
    identity: [allow('Read')],
    resourcePolicy: [deny('No', { Principal: { AWS: otherAccount } })],
    reason: 'allow',
    deciding: 'identity/Read',
  },
  {
    name: 'a trust policy needs no Resource',
    ...assume,
    resourcePolicy: [{ Sid: 'Trust', Effect: 'Allow', Principal: { AWS: roleArn }, Action: 'sts:AssumeRole' }],
    reason: 'allow',
    deciding: 'resource/Trust',
  },
  {
    name: 'a trust policy may name a session',
    ...assume,
    resourcePolicy: [{ Sid: 'Trust', Effect: 'Allow', Principal: { AWS: sessionArn }, Action: 'sts:AssumeRole' }],
    reason: 'allow',
    deciding: 'resource/Trust',
  },
  {
    name: 'assuming is not tagging the session',
    ...assume,
    action: 'sts:TagSession',
    resourcePolicy: [{ Sid: 'Trust', Effect: 'Allow', Principal: { AWS: roleArn }, Action: 'sts:AssumeRole' }],
    reason: 'implicit-deny',
  },
  {
    name: 'a trust policy with an external ID refuses a call without one',
    ...assume,
    resourcePolicy: [
      {
        Sid: 'Trust',
        Effect: 'Allow',
        Principal: { AWS: roleArn },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'sts:ExternalId': 'x1' } },
      },
    ],
    reason: 'implicit-deny',
  },
  {
    name: 'a trust policy with an external ID takes the right one',
    ...assume,
    context: { 'sts:ExternalId': 'x1' },
    resourcePolicy: [
      {
        Sid: 'Trust',
        Effect: 'Allow',
        Principal: { AWS: roleArn },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'sts:ExternalId': 'x1' } },
      },
    ],
    reason: 'allow',
    deciding: 'resource/Trust',
  },
];

/** IAM User Guide, "AWS JSON policy elements: NotPrincipal". */
export const notPrincipals: readonly Row[] = [
  {
    name: 'NotPrincipal with session, role and account exempts the session',
    identity: [allow('Read')],
    resourcePolicy: [exempt([sessionArn, roleArn, accountArn])],
    reason: 'allow',
    deciding: 'identity/Read',
  },
  {
    name: 'NotPrincipal without the session denies it',
    identity: [allow('Read')],
    resourcePolicy: [exempt([roleArn, accountArn])],
    reason: 'explicit-deny',
    deciding: 'resource/AllBut',
  },
  {
    name: 'NotPrincipal without the account denies the session',
    identity: [allow('Read')],
    resourcePolicy: [exempt([sessionArn, roleArn])],
    reason: 'explicit-deny',
    deciding: 'resource/AllBut',
  },
  {
    name: 'NotPrincipal with user and account exempts the user',
    principal: user,
    identity: [allow('Read')],
    resourcePolicy: [exempt([userArn, accountArn])],
    reason: 'allow',
    deciding: 'identity/Read',
  },
  {
    name: 'NotPrincipal with the account alone denies its users',
    principal: user,
    identity: [allow('Read')],
    resourcePolicy: [exempt([accountArn])],
    reason: 'explicit-deny',
    deciding: 'resource/AllBut',
  },
  {
    name: 'NotPrincipal exempts nobody who has a permissions boundary',
    principal: session,
    identity: [allow('Read')],
    boundary: [allow('Ceiling')],
    resourcePolicy: [exempt([sessionArn, roleArn, accountArn])],
    reason: 'explicit-deny',
    deciding: 'resource/AllBut',
  },
];
