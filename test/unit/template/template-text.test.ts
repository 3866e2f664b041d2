import { describe, expect, it } from 'vitest';
import { TemplateError } from '../../../local/template/intrinsics.ts';
import { parametersOf } from '../../../local/template/parameters.ts';
import { parseTemplate } from '../../../local/template/template.ts';
import { templateFromText } from '../../../local/template/template-text.ts';

describe('the text of a template', () => {
  it.each<[string, string, unknown]>([
    ['!Ref', '!Ref Name', { Ref: 'Name' }],
    ['!Sub', "!Sub '${A}-b'", { 'Fn::Sub': '${A}-b' }],
    ['!Sub with variables', '!Sub ["${A}", {A: !Ref B}]', { 'Fn::Sub': ['${A}', { A: { Ref: 'B' } }] }],
    ['!GetAtt', '!GetAtt Role.Arn', { 'Fn::GetAtt': 'Role.Arn' }],
    ['!If around maps', '!If [Yes, {A: !Ref B}, !Ref AWS::NoValue]', { 'Fn::If': ['Yes', { A: { Ref: 'B' } }, { Ref: 'AWS::NoValue' }] }],
    ['!If as a block', '!If\n    - Yes\n    - one\n    - two', { 'Fn::If': ['Yes', 'one', 'two'] }],
    ['!Equals', "!Equals [!Ref A, 'true']", { 'Fn::Equals': [{ Ref: 'A' }, 'true'] }],
    ['!Join', "!Join [',', !Ref List]", { 'Fn::Join': [',', { Ref: 'List' }] }],
    [
      '!Condition in !And',
      '!And [!Condition A, !Not [!Condition B]]',
      { 'Fn::And': [{ Condition: 'A' }, { 'Fn::Not': [{ Condition: 'B' }] }] },
    ],
    ['the long forms', '{Fn::Sub: x, Ref: y}', { 'Fn::Sub': 'x', Ref: 'y' }],
    ['a date as text', '2012-10-17', '2012-10-17'],
    ['numbers, truth values and nothing', '[1, true, null, "1"]', [1, true, null, '1']],
  ])('reads %s', (_, text, value) => {
    expect(templateFromText(`A: ${text}`)).toEqual({ A: value });
  });

  it('reads JSON as it is', () => {
    const value = { Resources: { A: { Type: 'X', Properties: { N: [1, { Ref: 'B' }] } } } };
    expect(templateFromText(JSON.stringify(value, null, 2))).toEqual(value);
  });

  it.each(['', 'text', '- a list', 'A: &x 1\nB: *x', 'A: 1\nA: 2', 'A: [', '\tA: 1'])('refuses %j', (text) => {
    expect(() => templateFromText(text)).toThrow(TemplateError);
  });
});

describe('a parameter', () => {
  const valueGiven = (declared: object, value?: string) =>
    parametersOf(parseTemplate({ Parameters: { P: declared }, Resources: {} }), value === undefined ? {} : { P: value }).get('P');

  it('is text, or a list where its type says so', () => {
    expect(valueGiven({ Type: 'String', Default: 'a, b' })).toBe('a, b');
    expect(valueGiven({ Type: 'CommaDelimitedList', Default: 'a, b' })).toEqual(['a', 'b']);
    expect(valueGiven({ Type: 'List<Number>' }, '1,2')).toEqual(['1', '2']);
    expect(valueGiven({ Type: 'Number', Default: 5, MinValue: 5, MaxValue: '5' })).toBe('5');
    expect(valueGiven({ Type: 'String', Default: true, AllowedValues: [true, false] }, 'false')).toBe('false');
  });

  it.each<[string, object, string | undefined]>([
    ['is missing', { Type: 'String' }, undefined],
    ['is none of the allowed values', { Type: 'String', AllowedValues: ['a'] }, 'b'],
    ['has one item that is not allowed', { Type: 'CommaDelimitedList', AllowedValues: ['a', 'b'] }, 'a,c'],
    ['matches the pattern only in part', { Type: 'String', AllowedPattern: '[a-z]+' }, 'abc1'],
    ['is too long', { Type: 'String', MaxLength: 2 }, 'abc'],
    ['is no number', { Type: 'Number' }, 'x'],
    ['is too large', { Type: 'Number', MaxValue: 4 }, '5'],
  ])('is refused when it %s', (_, declared, value) => {
    expect(() => valueGiven(declared, value)).toThrow(TemplateError);
  });
});
