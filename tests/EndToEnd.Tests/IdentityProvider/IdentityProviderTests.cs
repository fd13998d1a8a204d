using Bff.Dev.IdentityProvider;

namespace Bff.EndToEnd.Tests.IdentityProvider;

/// <summary>Starts a provider of its own for each test, on a free port.</summary>
public abstract class IdentityProviderTests : IAsyncLifetime
{
    private protected Clock Clock { get; } = new();

    protected DevelopmentIdentityProvider Provider { get; private set; } = null!;

    private protected Browser Browser { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Provider = await DevelopmentIdentityProvider.StartAsync(new IdentityProviderOptions { Port = 0, Time = Clock });
        Browser = new Browser(Provider);
    }

    public async Task DisposeAsync()
    {
        Browser.Dispose();
        await Provider.DisposeAsync();
    }
}
