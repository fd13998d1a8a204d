namespace Bff.Dev.IdentityProvider;

/// <summary>Everything about the provider that may be set; configuration section <c>IdentityProvider</c>.</summary>
public sealed class IdentityProviderOptions
{
    public string Host { get; set; } = "127.0.0.1";

    /// <summary>0 takes any free port.</summary>
    public int Port { get; set; } = 9000;

    /// <summary>The <c>iss</c> of every token; by default the address that is listened on.</summary>
    public string? Issuer { get; set; }

    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromHours(12);

    public TimeSpan CodeLifetime { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The longest wait for one client's back-channel answer.</summary>
    public TimeSpan BackchannelTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Signs this user in (name, subject or e-mail address) without showing the page; for tests.</summary>
    public string? AutomaticUser { get; set; }

    /// <summary>By client id. The shipped clients are there from the start and may be changed, also while running.</summary>
    public Dictionary<string, DevelopmentClient> Clients { get; } = DefaultClients.Create();

    /// <summary>Shown on the sign-in page, in this order.</summary>
    public List<DevelopmentUser> Users { get; } = DefaultUsers.Create();

    /// <summary>May be changed while running: tokens that are given out from then on have its times.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;
}
