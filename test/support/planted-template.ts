/** The synthesized template with something changed in it, for tests that have to notice. */
import { readFileSync } from 'node:fs';
import { templatePath } from './template.ts';

type Fields = Record<string, unknown>;

interface Parts {
  /** Statements of a managed policy, by its name: what is done to the list is done to the template. */
  policy(name: string): Fields[];
  /** Statements of a role's trust policy, by the role's name. */
  trust(name: string): Fields[];
  /** Statements of a role's inline policy, by the beginning of the role's logical ID. */
  inline(prefix: string): Fields[];
  /** A resource's properties, by its type and the beginning of its logical ID. */
  resource(type: string, prefix: string): Fields;
}

/** @returns the parsed template, after `change` */
export function plantedTemplate(change?: (parts: Parts) => void): unknown {
  const template: unknown = JSON.parse(readFileSync(templatePath, 'utf8'));
  const resources = Object.entries(fields(fields(template)['Resources'])).map(([id, one]) => ({
    id,
    type: fields(one)['Type'],
    properties: fields(fields(one)['Properties'] ?? {}),
  }));
  const find = (what: string, matches: (one: (typeof resources)[number]) => boolean): Fields => {
    const found = resources.find(matches);
    if (found === undefined) throw new Error(`the template has no ${what}`);
    return found.properties;
  };
  change?.({
    policy: (name) =>
      statements(
        find(name, ({ type, properties }) => type === 'AWS::IAM::ManagedPolicy' && properties['ManagedPolicyName'] === name)[
          'PolicyDocument'
        ],
      ),
    trust: (name) =>
      statements(
        find(name, ({ type, properties }) => type === 'AWS::IAM::Role' && properties['RoleName'] === name)['AssumeRolePolicyDocument'],
      ),
    inline(prefix) {
      const [policy] = list(find(prefix, ({ id, type }) => type === 'AWS::IAM::Role' && id.startsWith(prefix))['Policies']);
      return statements(fields(policy)['PolicyDocument']);
    },
    resource: (type, prefix) => find(`${type} ${prefix}`, (one) => one.type === type && one.id.startsWith(prefix)),
  });
  return template;
}

/** @throws when there is none of that Sid, so that a test does not plant nothing */
export function statementIn(of: readonly Fields[], sid: string): Fields {
  const found = of.find(({ Sid }) => Sid === sid);
  if (found === undefined) throw new Error(`there is no statement ${sid}`);
  return found;
}

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

function fields(value: unknown): Fields {
  if (!isFields(value)) throw new TypeError('the template holds no object where one is expected');
  return value;
}

function list(value: unknown): Fields[] {
  if (!Array.isArray(value)) throw new TypeError('the template holds no list where one is expected');
  return value;
}

const statements = (document: unknown): Fields[] => list(fields(document)['Statement']);
