-- A warning stands once it was told, so that nobody looks for one of a time to come any more.
drop index preview_warned;
