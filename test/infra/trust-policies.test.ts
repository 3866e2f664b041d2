import { describe, expect, it } from 'vitest';
import { account, role } from '../fixtures/attacks.ts';
import { type Caller, decideTrust, functionRole } from '../support/policies.ts';

const sessions: Caller = { arn: functionRole('Sessions'), tags: {} };
const tenants: Caller = { arn: functionRole('Tenants'), tags: {} };
const byoc: Caller = { arn: functionRole('Worker'), tags: {} };
const door: Caller = { arn: functionRole('Door'), tags: {} };
const person: Caller = { arn: `arn:aws:iam::${account}:role/Operations`, tags: {}, mayAssume: true };
const readerOf = (TenantId: string, UserId?: string): Caller => ({
  arn: role('TenantReader'),
  tags: { TenantId, ...(UserId && { UserId }) },
  mayAssume: true,
});
const writerOf = (TenantId: string): Caller => ({ arn: role('TenantWriter'), tags: { TenantId }, mayAssume: true });
const stranger: Caller = { arn: 'arn:aws:iam::444455556666:role/Somebody', tags: {}, mayAssume: true };

const alice = 'a'.repeat(26);
const bob = 'b'.repeat(26);

interface Row {
  readonly name: string;
  readonly role: string;
  readonly caller: Caller;
  readonly tags: Readonly<Record<string, string>>;
  readonly transitive?: readonly string[];
  readonly allowed: boolean;
}

const rows: readonly Row[] = [
  { name: 'sessions mints a reader for a tenant', role: 'TenantReader', caller: sessions, tags: { TenantId: 'acme' }, allowed: true },
  {
    name: 'sessions mints a reader for a user',
    role: 'TenantReader',
    caller: sessions,
    tags: { TenantId: 'acme', UserId: alice },
    allowed: true,
  },
  { name: 'sessions without a tenant', role: 'TenantReader', caller: sessions, tags: {}, allowed: false },
  { name: 'sessions with an empty tenant', role: 'TenantReader', caller: sessions, tags: { TenantId: '' }, allowed: false },
  {
    name: 'sessions with a tag nobody knows',
    role: 'TenantReader',
    caller: sessions,
    tags: { TenantId: 'acme', Tier: 'dedicated' },
    allowed: false,
  },
  {
    name: 'sessions with a tag that would travel on',
    role: 'TenantReader',
    caller: sessions,
    tags: { TenantId: 'acme' },
    transitive: ['TenantId'],
    allowed: false,
  },
  {
    name: 'tenants minting a reader',
    role: 'TenantReader',
    caller: { ...tenants, mayAssume: true },
    tags: { TenantId: 'acme' },
    allowed: false,
  },
  { name: 'a person minting a reader', role: 'TenantReader', caller: person, tags: { TenantId: 'acme' }, allowed: false },
  { name: 'another account minting a reader', role: 'TenantReader', caller: stranger, tags: { TenantId: 'acme' }, allowed: false },

  {
    name: 'a reader adds one of its users',
    role: 'TenantReader',
    caller: readerOf('acme'),
    tags: { TenantId: 'acme', UserId: alice },
    allowed: true,
  },
  {
    name: 'a reader becomes another tenant',
    role: 'TenantReader',
    caller: readerOf('acme'),
    tags: { TenantId: 'globex', UserId: alice },
    allowed: false,
  },
  {
    name: 'a reader becomes a tenant whose name goes on',
    role: 'TenantReader',
    caller: readerOf('acme'),
    tags: { TenantId: 'acme-2', UserId: alice },
    allowed: false,
  },
  {
    name: 'a reader renews itself without a user',
    role: 'TenantReader',
    caller: readerOf('acme'),
    tags: { TenantId: 'acme' },
    allowed: false,
  },
  { name: 'a reader drops its tenant', role: 'TenantReader', caller: readerOf('acme'), tags: { UserId: alice }, allowed: false },
  {
    name: "a user's session becomes another user's",
    role: 'TenantReader',
    caller: readerOf('acme', alice),
    tags: { TenantId: 'acme', UserId: bob },
    allowed: false,
  },
  {
    name: 'a writer becomes a reader',
    role: 'TenantReader',
    caller: writerOf('acme'),
    tags: { TenantId: 'acme', UserId: alice },
    allowed: false,
  },

  { name: 'tenants mints a writer', role: 'TenantWriter', caller: tenants, tags: { TenantId: 'acme' }, allowed: true },
  { name: 'tenants mints a writer without a tenant', role: 'TenantWriter', caller: tenants, tags: {}, allowed: false },
  {
    name: 'tenants mints a writer with a tag that would travel on',
    role: 'TenantWriter',
    caller: tenants,
    tags: { TenantId: 'acme' },
    transitive: ['TenantId'],
    allowed: false,
  },
  {
    name: 'tenants mints a writer with a tag nobody knows',
    role: 'TenantWriter',
    caller: tenants,
    tags: { TenantId: 'acme', Admin: 'yes' },
    allowed: false,
  },
  {
    name: 'sessions minting a writer',
    role: 'TenantWriter',
    caller: { ...sessions, mayAssume: true },
    tags: { TenantId: 'acme' },
    allowed: false,
  },
  {
    name: 'a reader becoming a writer of its own tenant',
    role: 'TenantWriter',
    caller: readerOf('acme'),
    tags: { TenantId: 'acme' },
    allowed: false,
  },

  { name: 'byoc mints a writer', role: 'TenantWriter', caller: byoc, tags: { TenantId: 'acme' }, allowed: true },
  { name: 'byoc mints a writer without a tenant', role: 'TenantWriter', caller: byoc, tags: {}, allowed: false },
  { name: 'byoc mints a writer with an empty tenant', role: 'TenantWriter', caller: byoc, tags: { TenantId: '' }, allowed: false },
  {
    name: 'byoc mints a writer with a tag that would travel on',
    role: 'TenantWriter',
    caller: byoc,
    tags: { TenantId: 'acme' },
    transitive: ['TenantId'],
    allowed: false,
  },
  {
    name: 'byoc mints a writer with a tag nobody knows',
    role: 'TenantWriter',
    caller: byoc,
    tags: { TenantId: 'acme', Admin: 'yes' },
    allowed: false,
  },
  {
    name: 'byoc becoming the connector',
    role: 'ByocConnector',
    caller: { ...byoc, mayAssume: true },
    tags: { TenantId: 'acme' },
    allowed: false,
  },

  { name: 'a writer probes its own customer', role: 'ByocProbe', caller: writerOf('acme'), tags: { TenantId: 'acme' }, allowed: true },
  { name: 'a reader probes its own customer', role: 'ByocProbe', caller: readerOf('acme'), tags: { TenantId: 'acme' }, allowed: false },
  { name: "a writer probes another's customer", role: 'ByocProbe', caller: writerOf('acme'), tags: { TenantId: 'globex' }, allowed: false },
  { name: 'a writer of no tenant probes', role: 'ByocProbe', caller: writerOf(''), tags: { TenantId: '' }, allowed: false },
  {
    name: 'a writer without a tag probes',
    role: 'ByocProbe',
    caller: { arn: role('TenantWriter'), tags: {}, mayAssume: true },
    tags: {},
    allowed: false,
  },
  {
    name: 'a probe for a user',
    role: 'ByocProbe',
    caller: writerOf('acme'),
    tags: { TenantId: 'acme', UserId: alice },
    allowed: false,
  },
  {
    name: 'a probe with a tag that would travel into the customer’s account',
    role: 'ByocProbe',
    caller: writerOf('acme'),
    tags: { TenantId: 'acme' },
    transitive: ['TenantId'],
    allowed: false,
  },
  {
    name: 'a function becoming the probe',
    role: 'ByocProbe',
    caller: { ...byoc, mayAssume: true },
    tags: { TenantId: 'acme' },
    allowed: false,
  },

  { name: 'tenants mints a provisioner', role: 'TenantProvisioner', caller: tenants, tags: { TenantId: 'initech' }, allowed: true },
  {
    name: 'a provisioner for a user',
    role: 'TenantProvisioner',
    caller: tenants,
    tags: { TenantId: 'initech', UserId: alice },
    allowed: false,
  },
  { name: 'a provisioner without a tenant', role: 'TenantProvisioner', caller: tenants, tags: {}, allowed: false },
  {
    name: 'a provisioner with a tag that would travel on',
    role: 'TenantProvisioner',
    caller: tenants,
    tags: { TenantId: 'initech' },
    transitive: ['TenantId'],
    allowed: false,
  },
  {
    name: 'sessions becoming a provisioner',
    role: 'TenantProvisioner',
    caller: { ...sessions, mayAssume: true },
    tags: { TenantId: 'initech' },
    allowed: false,
  },

  { name: 'an operator audits one tenant', role: 'TenantAuditor', caller: person, tags: { TenantId: 'acme' }, allowed: true },
  {
    name: 'a person whose own policy does not say so',
    role: 'TenantAuditor',
    caller: { ...person, mayAssume: false },
    tags: { TenantId: 'acme' },
    allowed: false,
  },
  { name: 'an operator auditing without a tenant', role: 'TenantAuditor', caller: person, tags: {}, allowed: false },
  {
    name: 'an operator auditing as a user',
    role: 'TenantAuditor',
    caller: person,
    tags: { TenantId: 'acme', UserId: alice },
    allowed: false,
  },
  {
    name: 'an operator with a tag that would travel on',
    role: 'TenantAuditor',
    caller: person,
    tags: { TenantId: 'acme' },
    transitive: ['TenantId'],
    allowed: false,
  },
  {
    name: 'a tenant session becoming the auditor',
    role: 'TenantAuditor',
    caller: readerOf('acme'),
    tags: { TenantId: 'acme' },
    allowed: false,
  },
  { name: 'another account becoming the auditor', role: 'TenantAuditor', caller: stranger, tags: { TenantId: 'acme' }, allowed: false },

  {
    name: 'a reader connects to its own customer',
    role: 'ByocConnector',
    caller: readerOf('acme'),
    tags: { TenantId: 'acme' },
    allowed: true,
  },
  {
    name: 'a writer connects to its own customer',
    role: 'ByocConnector',
    caller: writerOf('acme'),
    tags: { TenantId: 'acme' },
    allowed: true,
  },
  {
    name: 'a dedicated reader connects to its own customer',
    role: 'ByocConnector',
    caller: { arn: role('TenantAgent-initech'), tags: { TenantId: 'initech' }, mayAssume: true },
    tags: { TenantId: 'initech' },
    allowed: true,
  },
  {
    name: "a reader connects to another's customer",
    role: 'ByocConnector',
    caller: readerOf('acme'),
    tags: { TenantId: 'globex' },
    allowed: false,
  },
  {
    name: "a dedicated role under another tenant's tag",
    role: 'ByocConnector',
    caller: { arn: role('TenantAgent-initech'), tags: { TenantId: 'acme' }, mayAssume: true },
    tags: { TenantId: 'acme' },
    allowed: false,
  },
  {
    name: 'a connector with a tag that would travel into the customer’s account',
    role: 'ByocConnector',
    caller: readerOf('acme'),
    tags: { TenantId: 'acme' },
    transitive: ['TenantId'],
    allowed: false,
  },
  {
    name: 'a connector with a user',
    role: 'ByocConnector',
    caller: readerOf('acme'),
    tags: { TenantId: 'acme', UserId: alice },
    allowed: false,
  },
  {
    name: 'a function becoming the connector',
    role: 'ByocConnector',
    caller: { ...sessions, mayAssume: true },
    tags: { TenantId: 'acme' },
    allowed: false,
  },
  {
    name: 'a connector without a tenant',
    role: 'ByocConnector',
    caller: { arn: role('TenantReader'), tags: {}, mayAssume: true },
    tags: {},
    allowed: false,
  },

  {
    name: 'a reader adds a user and a tag nobody knows',
    role: 'TenantReader',
    caller: readerOf('acme'),
    tags: { TenantId: 'acme', UserId: alice, Admin: 'yes' },
    allowed: false,
  },
  {
    name: 'a reader adds a user with tags that would travel on',
    role: 'TenantReader',
    caller: readerOf('acme'),
    tags: { TenantId: 'acme', UserId: alice },
    transitive: ['UserId'],
    allowed: false,
  },
  {
    name: 'a reader of no tenant adds a user',
    role: 'TenantReader',
    caller: readerOf(''),
    tags: { TenantId: '', UserId: alice },
    allowed: false,
  },
  {
    name: 'a reader of no tenant connects to a customer',
    role: 'ByocConnector',
    caller: readerOf(''),
    tags: { TenantId: '' },
    allowed: false,
  },

  { name: 'the door mints a supplier', role: 'TenantSupplier', caller: door, tags: { TenantId: 'acme' }, allowed: true },
  {
    name: 'the door mints a supplier for a user',
    role: 'TenantSupplier',
    caller: door,
    tags: { TenantId: 'acme', UserId: alice },
    allowed: true,
  },
  { name: 'a supplier without a tenant', role: 'TenantSupplier', caller: door, tags: {}, allowed: false },
  { name: 'a supplier with an empty tenant', role: 'TenantSupplier', caller: door, tags: { TenantId: '' }, allowed: false },
  {
    name: 'a supplier with a tag nobody knows',
    role: 'TenantSupplier',
    caller: door,
    tags: { TenantId: 'acme', Admin: 'yes' },
    allowed: false,
  },
  {
    name: 'a supplier with a tag that would travel on',
    role: 'TenantSupplier',
    caller: door,
    tags: { TenantId: 'acme' },
    transitive: ['TenantId'],
    allowed: false,
  },
  {
    name: 'sessions minting a supplier',
    role: 'TenantSupplier',
    caller: { ...sessions, mayAssume: true },
    tags: { TenantId: 'acme' },
    allowed: false,
  },
  {
    name: 'a reader becoming a supplier of its own tenant',
    role: 'TenantSupplier',
    caller: readerOf('acme'),
    tags: { TenantId: 'acme' },
    allowed: false,
  },
  {
    name: 'the door minting a reader',
    role: 'TenantReader',
    caller: { ...door, mayAssume: true },
    tags: { TenantId: 'acme' },
    allowed: false,
  },
];

describe('I2 I11 who may become a tenant session', () => {
  it.each(rows.map((row) => [`${row.allowed ? 'admits' : 'refuses'}: ${row.name}`, row] as const))('%s', (_, row) => {
    expect(decideTrust(row).map(({ action, allowed }) => `${action} ${allowed}`)).toEqual(
      // Tags are refused together with the role: a call that passes tags needs both.
      row.allowed ? ['sts:AssumeRole true', 'sts:TagSession true'] : expect.arrayContaining(['sts:AssumeRole false']),
    );
  });
});
