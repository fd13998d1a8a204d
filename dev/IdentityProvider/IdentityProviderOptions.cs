namespace Bff.Dev.IdentityProvider;

/// <summary>All settings of the provider; configuration section <c>IdentityProvider</c>.</summary>
public sealed class IdentityProviderOptions
{
    public string Host { get; set; } = "127.0.0.1";

    /// <summary>0 takes any free port.</summary>
    public int Port { get; set; } = 9000;

    /// <summary>The <c>iss</c> of every token; by default the address that the provider listens on.</summary>
    public string? Issuer { get; set; }

    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromHours(12);

    public TimeSpan CodeLifetime { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Maximum wait for one client's back-channel answer.</summary>
    public TimeSpan BackchannelTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Signs this user in (name, subject or e-mail address) without showing the page; for tests.</summary>
    public string? AutomaticUser { get; set; }

    /// <summary>Clients by client id. The built-in clients are present from the start; all may be changed, also while running.</summary>
    public Dictionary<string, DevelopmentClient> Clients { get; } = DefaultClients.Create();

    /// <summary>Users on the sign-in page, in this order.</summary>
    public List<DevelopmentUser> Users { get; } = DefaultUsers.Create();

    /// <summary>The clock. May be changed while running; tokens that are issued from then on use it.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;
}
