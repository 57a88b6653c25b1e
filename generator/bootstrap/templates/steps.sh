{{#each plan}}
  step {{title}} {{run}}{{#each arguments}} {{this}}{{/each}}
{{/each}}
