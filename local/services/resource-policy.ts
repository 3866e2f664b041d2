/** A resource's policy as it arrives: JSON text, checked to be one that the evaluator understands. */
import { AwsError } from '../core/aws-error.ts';
import { compilePolicy } from '../iam/evaluate.ts';
import type { PolicyDocument } from '../iam/policy.ts';
import { parsePolicyDocument } from './iam-policy-document.ts';

/** Parses policy text; anything malformed, or unknown to the evaluator, is refused with `code` at once instead of at the first request it would deny. */
export function parseResourcePolicy(name: string, text: string, code: string): PolicyDocument {
  try {
    const document = parsePolicyDocument(text);
    compilePolicy(name, 'resource', document);
    return document;
  } catch (error) {
    throw new AwsError(code, `The policy is not valid: ${error instanceof Error ? error.message : String(error)}`);
  }
}
