import type { TrustMistake, TrustMistakeCode } from './diagnose-trust.ts';
import type { ProbeFinding, ProbeInput, ProbeReason, ProbeReasonCode, ProbeStep, ProbeStepResult } from './probe.ts';

/** The attempts that must be refused, by what it means when one is not; the first one that was let in gives the reason its code. */
const acceptance: readonly { readonly step: ProbeStep; readonly code: ProbeReasonCode; readonly message: string }[] = [
  {
    step: 'missing',
    code: 'EXTERNAL_ID_NOT_REQUIRED',
    message: 'The role can be assumed without any external ID, so nothing ties it to this connection.',
  },
  {
    step: 'wrong',
    code: 'EXTERNAL_ID_NOT_CHECKED',
    message: 'The role can be assumed with an arbitrary external ID: it demands one, but does not check which.',
  },
  {
    step: 'other-tenant',
    code: 'ANY_TENANT_ACCEPTED',
    message: "The role can be assumed with the external ID of another tenant of Cordon: it accepts whatever has the form of Cordon's IDs.",
  },
  {
    step: 'nearly-right',
    code: 'EXTERNAL_ID_NOT_CHECKED',
    message: "The role can be assumed with an external ID that differs from this connection's: only a part of it is checked.",
  },
  {
    step: 'second-principal',
    code: 'ANY_PRINCIPAL_ACCEPTED',
    message: "The role can be assumed by other roles of Cordon's account than the one that connects customers.",
  },
];

const restoreTrust =
  "Put the template's trust policy back: update the CloudFormation stack, or in IAM edit the role's trust relationship to name Cordon's account, sts:AssumeRole, the external ID by StringEquals and Cordon's role by ArnEquals on aws:PrincipalArn.";
/** After a rejection or suspension nothing is probed until the customer asks again. */
const askAgain = 'Then connect the account again; Cordon checks it from the start.';

/** @returns undefined when every attempt that must be refused was refused, or had no answer */
export function acceptanceReason(steps: readonly ProbeStepResult[], mistakes: readonly TrustMistake[]): ProbeReason | undefined {
  const accepted = acceptance.filter(({ step }) => steps.some((result) => result.step === step && result.answer === 'allowed'));
  const [first] = accepted;
  if (first === undefined) return undefined;
  return {
    code: first.code,
    ...worded(
      accepted.map(({ message }) => message),
      mistakes,
    ),
  };
}

/** What the policy says and no attempt can find: an ID that only another tenant holds, or a pattern that none of the IDs tried happens to fit. */
const readInTrust: readonly { readonly mistake: TrustMistakeCode; readonly code: ProbeReasonCode }[] = [
  { mistake: 'ANOTHER_EXTERNAL_ID', code: 'ANY_TENANT_ACCEPTED' },
  { mistake: 'EXTERNAL_ID_WILDCARD', code: 'EXTERNAL_ID_NOT_CHECKED' },
];

/** @returns undefined when the policy says nothing that is known to let others in */
export function readReason(mistakes: readonly TrustMistake[]): ProbeReason | undefined {
  const found = readInTrust.find(({ mistake }) => mistakes.some(({ code }) => code === mistake));
  return found && { code: found.code, ...worded([], mistakes) };
}

function worded(seen: readonly string[], mistakes: readonly TrustMistake[]): Pick<ProbeReason, 'message' | 'nextStep'> {
  const unique = (texts: readonly string[]): string => [...new Set(texts)].join(' ');
  const advice = mistakes.length === 0 ? restoreTrust : unique(mistakes.map(({ nextStep }) => nextStep));
  return { message: unique([...seen, ...mistakes.map(({ message }) => message)]), nextStep: `${advice} ${askAgain}` };
}

export function notReachable({ customerAccountId, roleName }: ProbeInput): ProbeReason {
  return {
    code: 'ROLE_NOT_REACHABLE',
    message: `AWS does not let Cordon assume the role ${roleName} in account ${customerAccountId} with this connection's external ID. It answers the same whichever it is: the stack is not made yet, it was made in another account or failed, the role has another name, or its trust policy names another account, role or external ID.`,
    nextStep: `Signed in to account ${customerAccountId}, open the link and create the stack with the parameters as they are. If it is there already, compare its role's name and trust policy with the template. Cordon keeps asking by itself.`,
  };
}

export function roleGone({ customerAccountId, roleName }: ProbeInput): ProbeReason {
  return {
    code: 'ROLE_GONE',
    message: `The role ${roleName} in account ${customerAccountId} worked before and now refuses Cordon with the right external ID: it was deleted, or its trust policy or an organization policy changed.`,
    nextStep: `To keep the connection, restore the role's CloudFormation stack and connect the account again. To end it, disconnect; nothing else is left to do.`,
  };
}

export function roleRecreated({ roleName }: ProbeInput): ProbeReason {
  return {
    code: 'ROLE_RECREATED',
    message: `The role ${roleName} was deleted and made again since it was verified: the name is the same, the role's unique ID is not.`,
    nextStep:
      'If that was intended, connect the account again; Cordon checks the new role from the start. If not, find out in CloudTrail who called iam:CreateRole.',
  };
}

export function wrongAccount({ customerAccountId, roleName }: ProbeInput): ProbeReason {
  return {
    code: 'WRONG_ACCOUNT',
    message: `The session that AWS gave out is not one of the role ${roleName} in account ${customerAccountId}.`,
    nextStep: `Create the stack in account ${customerAccountId}, or connect the account that you mean instead.`,
  };
}

export function permissionMissing(missing: readonly string[]): ProbeReason {
  const shown = missing.slice(0, 12);
  const more = missing.length > shown.length ? `, and ${missing.length - shown.length} more` : '';
  return {
    code: 'PERMISSION_MISSING',
    message: `The role may not do what was asked for: ${shown.join('; ')}${more}.`,
    nextStep: `Update the stack with the link, so that the role has the template's policies for these services and Regions, and look for a permissions boundary or a policy that denies them. If the services are not wanted, connect the account with fewer. ${askAgain}`,
  };
}

/** @param step where the answer was missing, for people */
export function noAnswer(step: string, code: string | undefined): ProbeReason {
  return {
    code: 'NO_ANSWER',
    message: `AWS did not answer whether the role can be trusted (${step}${code === undefined ? '' : `: ${code}`}). That is no refusal, and nothing about the connection has changed.`,
    nextStep: 'There is nothing to do: Cordon asks again by itself.',
  };
}

export function probeUnavailable(code: string): ProbeReason {
  return {
    code: 'PROBE_UNAVAILABLE',
    message: `Cordon could not open its own session to check the role (${code}). That says nothing about the role, and nothing about the connection has changed.`,
    nextStep: 'There is nothing to do: Cordon tries again by itself.',
  };
}

export const permissionsNotShown: ProbeFinding = {
  code: 'PERMISSIONS_NOT_SHOWN',
  message: 'The role may not call iam:SimulatePrincipalPolicy on itself, so Cordon cannot check what it may do. The template allows it.',
};

export const trustNotShown: ProbeFinding = {
  code: 'TRUST_NOT_SHOWN',
  message:
    'The role may not read its own trust policy with iam:GetRole, so Cordon could not tell you which line is wrong if it ever weakened. The template allows it.',
};

export function trustToImprove({ message, nextStep }: TrustMistake): ProbeFinding {
  return { code: 'TRUST_TO_IMPROVE', message: `${message} ${nextStep}` };
}

export function administratorWide(excessive: readonly string[]): ProbeFinding {
  return {
    code: 'ADMINISTRATOR_WIDE',
    message: `The role may do far more than was asked for: ${excessive.join('; ')}. Cordon narrows each session to the call at hand, but the role should not be able to: remove the policies that the template does not have.`,
  };
}
