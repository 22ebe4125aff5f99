/** The most that the pods of one namespace may take together; what is absent is not bounded. */
export interface ResourceBounds {
  /** Kubernetes quantities, such as `4` or `500m`, and `8Gi`. */
  cpu?: string | undefined;
  memory?: string | undefined;
  pods?: number | undefined;
}

/** Who may talk with a preview, and whom it may talk with. */
export interface NetworkSettings {
  /** `open`: no policy at all. */
  policy: 'isolated' | 'open';
  /** Namespaces whose pods reach the preview's, such as the ingress controller's. */
  allowFrom: readonly string[];
  /** Networks, as CIDRs, that the preview does not reach. */
  denyTo: readonly string[];
}

/** What the agent's configuration says of every namespace of a preview. */
export interface FurnitureSettings {
  /** The cap of what a file may ask for, and what holds where it asks for nothing; null: no cap. */
  resources: ResourceBounds | null;
  /** The only namespace that secrets are copied from; null: none are. */
  secretsFrom: string | null;
  network: NetworkSettings;
}
