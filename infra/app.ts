import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { CordonStack } from './cordon-stack.ts';
import { synthesizedReference } from './synthesize-reference.ts';

const app = new App({ outdir: process.env['CDK_OUTDIR'] ?? 'cdk.out' });
new CordonStack(app, 'Cordon', {
  description: 'Per-tenant and per-user credential isolation for AI-agent platforms',
  synthesizedPolicies: synthesizedReference(),
});
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();
