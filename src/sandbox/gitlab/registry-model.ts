/** Images that are said to exist. */
export interface RegistryTag {
  name: string;
  digest: string;
  revision: string;
  totalSize: number;
  createdAt: number;
}

export interface RegistryRepository {
  id: number;
  name: string;
  createdAt: number;
  tags: Map<string, RegistryTag>;
}
