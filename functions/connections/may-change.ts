/** The role claim whose bearers connect and disconnect accounts. */
const changingRole = 'admin';

export function mayChange({ role }: { readonly role?: string | undefined }): boolean {
  return role === changingRole;
}
