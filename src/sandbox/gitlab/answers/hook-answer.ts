import type { Hook } from '../hooks/hook.js';
import { hookAlertStatus } from '../hooks/hook-health.js';
import type { Project } from '../model.js';
import { apiTime } from '../time-format.js';

/** The token is never told. */
export function hookAnswer(project: Project, hook: Hook, now: number) {
  return {
    id: hook.id,
    url: hook.url,
    name: hook.name,
    description: hook.description,
    project_id: project.id,
    ...hook.events,
    push_events_branch_filter: hook.pushEventsBranchFilter,
    branch_filter_strategy: 'wildcard',
    enable_ssl_verification: hook.enableSslVerification,
    alert_status: hookAlertStatus(hook, now),
    disabled_until: apiTime(hook.disabledUntil),
    url_variables: [],
    created_at: apiTime(hook.createdAt),
    custom_webhook_template: null,
    custom_headers: [],
  };
}
