import { XMLParser } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import { AwsError } from '../../../local/core/aws-error.ts';
import { parseQuery, queryAnswer, queryError } from '../../../local/core/query-protocol.ts';

const xml = new XMLParser({ parseTagValue: false });

describe('the query protocol', () => {
  it('reads structures, lists of structures and of scalars, and maps', () => {
    const body =
      'Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws&Tags.member.1.Key=TenantId&Tags.member.1.Value=a+b' +
      '&Tags.member.2.Key=x&Tags.member.2.Value=&Keys.member.1=one&Keys.member.2=two&Flat.2=b&Flat.1=a&Map.entry.1.key=k&Map.entry.1.value=v';
    expect(parseQuery(body)).toEqual({
      action: 'AssumeRole',
      input: {
        RoleArn: 'arn:aws',
        Tags: [
          { Key: 'TenantId', Value: 'a b' },
          { Key: 'x', Value: '' },
        ],
        Keys: ['one', 'two'],
        Flat: ['a', 'b'],
        Map: { k: 'v' },
      },
    });
  });

  it('reads the empty value of a list as an empty list, and of anything else as an empty text', () => {
    expect(parseQuery('Action=AssumeRole&Tags=&TransitiveTagKeys=&ExternalId=').input).toEqual({
      Tags: [],
      TransitiveTagKeys: [],
      ExternalId: '',
    });
  });

  it('keeps the order of the numbers, not of the text', () => {
    const body = [10, 9, 2, 1].map((n) => `Keys.member.${n}=k${n}`).join('&');
    expect(parseQuery(`Action=X&${body}`).input).toEqual({ Keys: ['k1', 'k2', 'k9', 'k10'] });
  });

  it.each([
    ['a value that is also a structure', 'Action=X&Tags=1&Tags.member.1=2'],
    ['a structure that is also a value', 'Action=X&Tags.member.1=2&Tags=1'],
    ['a name given twice', 'Action=X&RoleArn=a&RoleArn=b'],
    ['a name too deep', `Action=X&${Array(40).fill('a').join('.')}=1`],
  ])('refuses %s', (_, body) => {
    expect(() => parseQuery(body)).toThrow(expect.objectContaining({ code: 'InvalidParameterValue' }));
  });

  it('does not let a name reach the prototype', () => {
    const { input } = parseQuery('Action=X&__proto__.polluted=1&constructor.prototype.polluted=1');
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    expect(Object.getPrototypeOf(input)).toBe(Object.prototype);
  });

  it('writes arrays as members, dates as ISO 8601 without milliseconds, and leaves out what is undefined', () => {
    const result = { Names: ['a', 'b'], At: new Date('2026-01-02T03:04:05.678Z'), None: undefined, Flag: false, Nested: { Count: 3 } };
    const parsed = xml.parse(queryAnswer('ListX', 'https://example.com/', result, 'request-1'));
    expect(parsed.ListXResponse.ListXResult).toEqual({
      Names: { member: ['a', 'b'] },
      At: '2026-01-02T03:04:05Z',
      Flag: 'false',
      Nested: { Count: '3' },
    });
    expect(parsed.ListXResponse.ResponseMetadata).toEqual({ RequestId: 'request-1' });
  });

  it('writes a map as entries', () => {
    const parsed = xml.parse(
      queryAnswer(
        'GetX',
        'n',
        {
          Attributes: new Map([
            ['Owner', '1'],
            ['Policy', '{"a":1}'],
          ]),
        },
        'r',
      ),
    );
    expect(parsed.GetXResponse.GetXResult).toEqual({
      Attributes: {
        entry: [
          { key: 'Owner', value: '1' },
          { key: 'Policy', value: '{"a":1}' },
        ],
      },
    });
  });

  it('answers an empty result with an empty element', () => {
    expect(queryAnswer('UpdateRole', 'n', {}, 'r')).toContain('<UpdateRoleResult></UpdateRoleResult>');
  });

  it('escapes what a caller has put in', () => {
    const answer = queryAnswer('X', 'n', { Name: '<Role a="1">&\u0000\n' }, 'r');
    expect(answer).toContain('<Name>&lt;Role a=&quot;1&quot;&gt;&amp;?&#xA;</Name>');
    expect(queryError(new AwsError('NoSuchEntity', '</Message><Code>x</Code>', 404), 'n', 'r')).toContain('&lt;/Message&gt;&lt;Code&gt;');
  });

  it('blames the sender below 500 and the receiver from there on', () => {
    expect(queryError(new AwsError('A', 'm', 404), 'n', 'r')).toContain('<Type>Sender</Type>');
    expect(queryError(new AwsError('A', 'm', 500), 'n', 'r')).toContain('<Type>Receiver</Type>');
  });
});
