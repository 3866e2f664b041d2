/** The managed policies of AWS itself that exist here; any other `arn:aws:iam::aws:policy/…` is answered NoSuchEntity. */
import type { PolicyDocument } from '../iam/policy.ts';
import type { ManagedPolicy } from './identity-store.ts';

const documents: readonly [path: string, name: string, document: PolicyDocument][] = [
  ['/', 'AdministratorAccess', { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }],
  [
    '/service-role/',
    'AWSLambdaBasicExecutionRole',
    {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'], Resource: '*' }],
    },
  ],
  [
    '/service-role/',
    'AmazonAPIGatewayPushToCloudWatchLogs',
    {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: [
            'CreateLogGroup',
            'CreateLogStream',
            'DescribeLogGroups',
            'DescribeLogStreams',
            'FilterLogEvents',
            'GetLogEvents',
            'PutLogEvents',
          ].map((name) => `logs:${name}`),
          Resource: '*',
        },
      ],
    },
  ],
];

export const awsManagedPolicies: ReadonlyMap<string, ManagedPolicy> = new Map(
  documents.map(([path, name, document]) => {
    const arn = `arn:aws:iam::aws:policy${path}${name}`;
    const createdAt = new Date('2015-02-06T00:00:00Z');
    const policy: ManagedPolicy = {
      accountId: 'aws',
      name,
      path,
      arn,
      policyId: `ANPA${name.toUpperCase().slice(0, 16).padEnd(16, 'A')}`,
      description: undefined,
      createdAt,
      updatedAt: createdAt,
      tags: new Map(),
      versions: new Map([['v1', { text: JSON.stringify(document), document, createdAt }]]),
      defaultVersionId: 'v1',
      nextVersion: 2,
    };
    return [arn, policy];
  }),
);
