/** Signs with the key that Cordon signs evidence with. Both throw CordonError ACCESS_REFUSED | AWS_UNAVAILABLE | AWS_REFUSED. */
export interface CertificateSigner {
  readonly keyArn: string;
  /** SubjectPublicKeyInfo, PEM. */
  publicKey(): Promise<string>;
  /** @returns the signature of the text's UTF-8 bytes, by ECDSA over SHA-256: DER, base64 */
  sign(text: string): Promise<string>;
}
