import type { HeaderMap } from '../providers/egress-adapter.ts';
import { CordonError } from '../shared/errors.ts';

/** What a caller says of its call to choose a credential by; everything is optional and nothing of it is verified. */
export interface Asked {
  readonly environment: string | undefined;
  readonly useCase: string | undefined;
  readonly team: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly dataClass: string | undefined;
  /** Every `x-cordon-` header as it came, names without the prefix: for the record. */
  readonly asserted: Readonly<Record<string, string>>;
}

const prefix = 'x-cordon-';
const maxHeaders = 16;
const maxLength = 512;
const plain = /^[\x20-\x7e]+$/;
const labelPattern = /^([a-z][a-z0-9-]{0,31})=([A-Za-z0-9][A-Za-z0-9 _.:/=+@-]{0,63})$/;

/**
 * @param headers names in lower case
 * @throws CordonError CALL_INVALID naming the header that cannot be understood
 */
export function askedOf(headers: HeaderMap): Asked {
  const asserted: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    if (!name.startsWith(prefix)) continue;
    const value = headers[name]?.trim() ?? '';
    if (value === '') continue;
    if (value.length > maxLength || !plain.test(value)) throw invalid(name, `must be plain ASCII text of at most ${maxLength} characters`);
    asserted[name.slice(prefix.length)] = value;
  }
  if (Object.keys(asserted).length > maxHeaders)
    throw new CordonError('CALL_INVALID', `There may be at most ${maxHeaders} x-cordon- headers.`);
  return {
    environment: asserted['environment'],
    useCase: asserted['use-case'],
    team: asserted['team'],
    labels: labelsOf(asserted['labels']),
    dataClass: asserted['data-class'],
    asserted,
  };
}

function labelsOf(text: string | undefined): Record<string, string> {
  const labels: Record<string, string> = {};
  if (text === undefined) return labels;
  for (const part of text.split(',')) {
    const [, name, value] = labelPattern.exec(part.trim()) ?? [];
    if (name === undefined || value === undefined || Object.hasOwn(labels, name))
      throw invalid('x-cordon-labels', 'must be key=value,key=value with each key once');
    labels[name] = value;
  }
  return labels;
}

function invalid(header: string, what: string): CordonError {
  return new CordonError('CALL_INVALID', `The header ${header} ${what}.`);
}
