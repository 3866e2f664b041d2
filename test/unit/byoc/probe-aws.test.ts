import { readFile } from 'node:fs/promises';
import { KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { templateParameters } from '../../../functions/byoc/probe/customer-template.ts';
import { createEvidenceSigner } from '../../../functions/byoc/probe/evidence-signer.kms.ts';
import type { ProbeDeps } from '../../../functions/byoc/probe/probe.ts';
import { createProbeDeps } from '../../../functions/byoc/probe/probe-aws.ts';
import { probeRole } from '../../../functions/byoc/probe/probe-role.ts';
import { signEvidence, verifyEvidence } from '../../../functions/byoc/probe/sign-evidence.ts';
import { serviceName } from '../../../functions/byoc/service-name.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import type { SessionCredentials } from '../../../functions/shared/tenant-sessions.ts';
import { type LocalServer, startServer } from '../../../local/core/server.ts';
import type { Caller } from '../../../local/core/service.ts';
import { createCloudFormation } from '../../../local/services/cloudformation.ts';
import { createKms } from '../../../local/services/kms.ts';
import { allow, makeRole, policy, startCloud, stringIn, trust } from '../core/cloud.ts';
import {
  anothersId,
  bedrock,
  customer,
  trust as customerTrust,
  externalId,
  input,
  platform,
  roleArn,
  roleName,
  self,
} from './customer-account.ts';

const { kernel, root } = startCloud();
kernel.register(createKms(kernel));
const ofPlatform = { AWS: `arn:aws:iam::${platform}:root` };
let server: LocalServer;
let deps: ProbeDeps;
/** A writer's session that is kept, and used as long as no newer one is asked for. */
let keptWriter: SessionCredentials | undefined;

beforeAll(async () => {
  server = await startServer(kernel, { port: 0 });
  vi.stubEnv('AWS_ENDPOINT_URL', server.endpoint);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  const connect = policy(allow('sts:AssumeRole', 'arn:aws:iam::*:role/cordon.${aws:PrincipalTag/TenantId}.*'));
  const writer = await makeRole(kernel, 'TenantWriter', trust(ofPlatform), policy(allow(['sts:AssumeRole', 'sts:TagSession'])));
  const connectorRoleArn = await makeRole(kernel, 'ByocConnector', trust(ofPlatform), connect, { Path: '/cordon/' });
  const probeRoleArn = await makeRole(kernel, 'ByocProbe', trust(ofPlatform), connect, { Path: '/cordon/' });
  const trusting = JSON.stringify(customerTrust());
  await makeRole(kernel, roleName, trusting, policy(self, bedrock), {}, customer);
  const minter = callerFor(kernel.addAccount(platform).accessKeyId);
  deps = createProbeDeps({
    openWriter: async (tenantId, mintedSince) => {
      if (mintedSince === undefined && keptWriter !== undefined) return keptWriter;
      const answer = await kernel.call(minter, 'sts', 'AssumeRole', {
        RoleArn: writer,
        RoleSessionName: tenantId,
        Tags: [{ Key: 'TenantId', Value: tenantId }],
      });
      return sessionIn(answer['Credentials']);
    },
    connectorRoleArn,
    probeRoleArn,
    platformAccountId: platform,
    newExternalId: () => anothersId,
    clock: () => 1_000,
    timeoutMs: 300,
  });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.close();
});
beforeEach(() => {
  kernel.faults.clear();
});

function callerFor(accessKeyId: string): Caller {
  const caller = kernel.callerOf(accessKeyId);
  if (caller === undefined) throw new Error(`nobody is behind ${accessKeyId}`);
  return caller;
}

function sessionIn(credentials: unknown): SessionCredentials {
  return {
    accessKeyId: stringIn(credentials, 'AccessKeyId'),
    secretAccessKey: new SecretText(stringIn(credentials, 'SecretAccessKey')),
    sessionToken: new SecretText(stringIn(credentials, 'SessionToken')),
    expiresAt: 0,
  };
}

const retrust = (document: object): Promise<unknown> =>
  kernel.call(kernel.rootCaller(customer), 'iam', 'UpdateAssumeRolePolicy', {
    RoleName: roleName,
    PolicyDocument: JSON.stringify(document),
  });

describe('B2 the probe against STS and IAM', () => {
  it('finds a sound role sound, and knows its unique ID', async () => {
    const { Role } = await kernel.call(kernel.rootCaller(customer), 'iam', 'GetRole', { RoleName: roleName });
    expect(await probeRole(deps, input)).toMatchObject({ verdict: 'sound', findings: [], roleArn, roleId: stringIn(Role, 'RoleId') });
  });

  it('reads the mistake from the role itself', async () => {
    await retrust(customerTrust({ Condition: { StringLike: { 'sts:ExternalId': '*' } } }));
    const { verdict, reason } = await probeRole(deps, input);
    await retrust(customerTrust());
    expect({ verdict, code: reason?.code }).toEqual({ verdict: 'unsound', code: 'EXTERNAL_ID_NOT_CHECKED' });
    expect(reason?.message).toMatch(/StringLike and a wildcard/);
  });

  it("is refused by IAM for a role of another tenant's name, even with the right external ID", async () => {
    const others = 'cordon.globex.abcdefgh';
    await makeRole(kernel, others, JSON.stringify(customerTrust()), policy(self), {}, customer);
    expect(await probeRole(deps, { ...input, roleName: others })).toMatchObject({ verdict: 'unreachable' });
  });

  it('takes throttling for no answer and does not try again behind its back', async () => {
    // The writer and the connector, the writer and the second principal, the right ID: the sixth is the one without an external ID.
    kernel.faults.add({ service: 'sts', action: 'AssumeRole', nth: 6, mode: 'before', code: 'ThrottlingException' });
    expect(await probeRole(deps, input)).toMatchObject({
      verdict: 'no-answer',
      steps: expect.arrayContaining([{ step: 'missing', answer: 'none', code: 'ThrottlingException' }]),
    });
  });

  it('takes slowness for no answer', async () => {
    kernel.faults.add({ service: 'sts', action: 'AssumeRole', nth: 5, mode: 'delay', delayMs: 1_000 });
    expect(await probeRole(deps, input)).toMatchObject({
      verdict: 'no-answer',
      steps: [{ step: 'right', answer: 'none', code: 'AbortError' }],
    });
  });

  it('may only look at the role, whatever the role may do', async () => {
    const administrator = 'cordon.acme.adminadm';
    const arn = await makeRole(kernel, administrator, JSON.stringify(customerTrust()), policy(allow('*')), {}, customer);
    expect(await probeRole(deps, { ...input, roleName: administrator })).toMatchObject({
      verdict: 'sound',
      findings: [{ code: 'ADMINISTRATOR_WIDE' }],
    });
    const connector = await deps.assumeConnector(input.tenantId);
    const session = await deps.assumeCustomer(connector, { tenantId: input.tenantId, roleArn: arn, externalId });
    expect(JSON.parse(await deps.trustOf(session, administrator))).toEqual(customerTrust());
    await expect(deps.trustOf(session, roleName)).rejects.toMatchObject({ name: 'AccessDenied' });
    const caller = callerFor(session.accessKeyId);
    await expect(kernel.call(caller, 'iam', 'ListRoles', {})).rejects.toMatchObject({ code: 'AccessDenied' });
  });

  it('takes a new session of the writer when the one that is kept is refused', async () => {
    const may = await makeRole(kernel, 'Cut', trust(ofPlatform), policy(allow('sqs:SendMessage')));
    const minter = callerFor(kernel.addAccount(platform).accessKeyId);
    const answer = await kernel.call(minter, 'sts', 'AssumeRole', { RoleArn: may, RoleSessionName: 'acme' });
    keptWriter = sessionIn(answer['Credentials']);
    try {
      expect(await probeRole(deps, input)).toMatchObject({ verdict: 'sound' });
    } finally {
      keptWriter = undefined;
    }
  });

  it('reads every page of the simulator', async () => {
    const session = await deps.assumeCustomer(await deps.assumeConnector(input.tenantId), {
      tenantId: input.tenantId,
      roleArn,
      externalId,
    });
    const resources = Array.from({ length: 60 }, (_, index) => `arn:aws:bedrock:us-east-1::foundation-model/model-${index}`);
    const allowed = await deps.simulate(session, roleArn, {
      actions: ['bedrock:InvokeModel', 'iam:CreateUser'],
      resources,
      region: 'us-east-1',
    });
    expect(allowed).toEqual(resources.map((resource) => ({ action: 'bedrock:InvokeModel', resource })));
  });
});

describe('B1 the template, made into a stack by the customer', () => {
  it('makes a role that the probe finds sound, for every service', async () => {
    kernel.register(createCloudFormation(kernel));
    const admin = callerFor(kernel.addAccount(customer).accessKeyId);
    const connection = { ...input, roleName: 'cordon.acme.stackrol', services: serviceName.options, regions: ['us-east-1', 'eu-west-1'] };
    const parameters = templateParameters({
      platformAccountId: platform,
      connectorRoleArn: `arn:aws:iam::${platform}:role/cordon/ByocConnector`,
      connection,
    });
    await kernel.call(admin, 'cloudformation', 'CreateStack', {
      StackName: 'cordon-acme',
      TemplateBody: await readFile(new URL('../../../functions/byoc/customer-role.template.yaml', import.meta.url), 'utf8'),
      Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
    });
    await vi.waitFor(async () => {
      const { Stacks } = await kernel.call(admin, 'cloudformation', 'DescribeStacks', { StackName: 'cordon-acme' });
      expect(Stacks).toMatchObject([{ StackStatus: 'CREATE_COMPLETE' }]);
    });
    expect(await probeRole(deps, connection)).toMatchObject({ verdict: 'sound', findings: [] });
    expect(await probeRole(deps, { ...connection, regions: ['ap-southeast-2'] })).toMatchObject({ reason: { code: 'PERMISSION_MISSING' } });
  });
});

describe('B2 signed evidence', () => {
  it('is signed by KMS and verified without it', async () => {
    const { KeyMetadata } = await kernel.call(root, 'kms', 'CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    const keyArn = stringIn(KeyMetadata, 'Arn');
    const kms = new KMSClient({ credentials: kernel.addAccount(platform) });
    const evidence = await signEvidence(createEvidenceSigner(kms), keyArn, { verdict: 'sound', steps: [{ step: 'right' }] });
    kms.destroy();
    const key = Buffer.from(stringIn(await kernel.call(root, 'kms', 'GetPublicKey', { KeyId: keyArn }), 'PublicKey'), 'base64');
    expect(evidence).toMatchObject({ algorithm: 'ECDSA_SHA_256', keyArn, document: '{"steps":[{"step":"right"}],"verdict":"sound"}' });
    expect(verifyEvidence(evidence, key)).toBe(true);
    expect(verifyEvidence({ ...evidence, document: evidence.document.replace('sound', 'unsound') }, key)).toBe(false);
  });
});
