/** The switches of a webhook, by the names of the API. */
export const hookEvents = [
  'push_events',
  'issues_events',
  'confidential_issues_events',
  'merge_requests_events',
  'tag_push_events',
  'note_events',
  'confidential_note_events',
  'job_events',
  'pipeline_events',
  'wiki_page_events',
  'deployment_events',
  'releases_events',
  'feature_flag_events',
  'emoji_events',
  'repository_update_events',
  'resource_access_token_events',
] as const;
export type HookEvent = (typeof hookEvents)[number];

export interface Hook {
  id: number;
  url: string;
  name: string;
  description: string;
  token: string | null;
  signingToken: string | null;
  events: Record<HookEvent, boolean>;
  pushEventsBranchFilter: string;
  enableSslVerification: boolean;
  createdAt: number;
  recentFailures: number;
  disabledUntil: number | null;
}
