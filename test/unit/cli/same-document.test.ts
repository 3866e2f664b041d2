import { describe, expect, it } from 'vitest';
import { sameDocument } from '../../../cli/dedicated/same-document.ts';

const statement = {
  Sid: 'A',
  Effect: 'Allow',
  Action: ['sts:AssumeRole', 'sts:TagSession'],
  Condition: { Null: { 'aws:TagKeys': 'true' } },
};
const document = { Version: '2012-10-17', Statement: [statement, { ...statement, Sid: 'B' }] };

describe('P7 two policy documents', () => {
  it('say the same in another order of members and actions, and with a single value for a list of one', () => {
    const { Sid, ...rest } = statement;
    const spelt = { ...rest, Action: ['sts:TagSession', 'sts:AssumeRole'], Condition: { Null: { 'aws:TagKeys': ['true'] } }, Sid };
    expect(sameDocument(document, { Statement: [spelt, { ...spelt, Sid: 'B' }], Version: document.Version })).toBe(true);
    expect(sameDocument({ Statement: [statement] }, { Statement: statement })).toBe(true);
  });

  it.each([
    ['an action more', { ...statement, Action: [...statement.Action, 'sts:SetSourceIdentity'] }],
    ['an action less', { ...statement, Action: 'sts:AssumeRole' }],
    ['another effect', { ...statement, Effect: 'Deny' }],
    ['no condition', { ...statement, Condition: undefined }],
    ['another value', { ...statement, Condition: { Null: { 'aws:TagKeys': 'false' } } }],
    ['another key', { ...statement, Condition: { Null: { 'aws:RequestTag/UserId': 'true' } } }],
  ])('say something else with %s', (_, changed) => {
    expect(sameDocument(document, { ...document, Statement: [changed, { ...statement, Sid: 'B' }] })).toBe(false);
  });

  it('say something else with a statement more or less', () => {
    expect(sameDocument(document, { ...document, Statement: [statement] })).toBe(false);
    expect(sameDocument(document, { ...document, Statement: [...document.Statement, statement] })).toBe(false);
  });
});
