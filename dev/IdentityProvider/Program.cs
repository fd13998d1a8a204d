using Bff.Dev.IdentityProvider;

return await DevelopmentIdentityProvider.RunAsync(args);
