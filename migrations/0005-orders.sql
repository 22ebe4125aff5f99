-- What an order to an agent is of beyond one preview, and what became of it.
alter table agent_order
  -- Path of the project whose previews are paused or resumed.
  add column project text,
  -- The one that is to be removed from what blocks a teardown.
  add column finalizer text,
  -- null: the agent has not said it, or the order cannot fail.
  add column done boolean,
  -- A sentence of the agent.
  add column outcome text;

-- What the agent does not touch now, on a person's word: [{scope, name, by}].
alter table agent add column paused jsonb not null default '[]';
