import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import type { Reference } from '../functions/isolation/audit/reference.ts';
import { CordonStack } from './cordon-stack.ts';
import { policyReference } from './policy-reference.ts';

/**
 * Synthesizes the stack once without its functions' code, for what it says of policies. The function that audits them carries the result in its own code, so there is no
 * single synthesis that could have both; no policy depends on any code, so this one says the same as the next.
 */
export function synthesizedReference(): Reference {
  const outdir = mkdtempSync(join(tmpdir(), 'cordon-policies-'));
  try {
    const app = new App({ outdir, context: { 'aws:cdk:bundling-stacks': [] }, analyticsReporting: false });
    const { artifactId } = new CordonStack(app, 'Cordon');
    return policyReference(app.synth().getStackArtifact(artifactId).template);
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}
