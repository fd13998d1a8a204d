using Bff.Callers;
using Bff.Callers.Clients;
using Bff.Callers.Life;
using Bff.Configuration;
using Bff.OpenApi;
using Bff.Requests;
using Bff.Sessions.Endpoints;
using Bff.Sessions.SignIn;
using Bff.Sessions.Stores;
using Bff.State;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Bff.Sessions;

/// <summary>Registers server-side browser sessions (OAuth 2.0 for Browser-Based Apps: the gateway is the confidential client).</summary>
public static class SessionsRegistration
{
    /// <summary>
    /// Accepts the session's cookie as a credential, after the kinds of credential that were registered before. Section <c>Session</c>.
    /// </summary>
    public static WebApplicationBuilder AddBrowserSessions(this WebApplicationBuilder builder, Action<SessionSite>? configure = null)
    {
        var site = new SessionSite();
        configure?.Invoke(site);
        var services = builder.Services;
        services.AddSingleton(site);
        services.AddReloadable(["Session", "Authentication", "Cors"], SessionSettings.Parse);
        services.AddStore<ISessionStore, RedisSessionStore, EmbeddedSessionStore>(builder.Configuration);
        services.AddAuthorizationServerClient(ProviderClient.HttpName, TimeSpan.FromSeconds(5));
        services.AddSingleton<ProviderMetadata>();
        services.AddSingleton<ProviderClient>();
        services.AddSingleton<ProviderTokens>();
        services.AddSingleton<RefreshedClaims>();
        services.AddSingleton<IdTokens>();
        services.AddSingleton<IOptionsMonitor<OpenIdConnectOptions>, HandlerOptions>();
        services.AddScoped<SignInEvents>();
        services.AddTransient<SignInHandler>();
        services.AddSingleton<SessionCookie>();
        services.AddSingleton<LoginStates>();
        services.AddSingleton<SessionVault>();
        services.AddSingleton<SessionRefresh>();
        services.AddSingleton<ICredentialLife, SessionLife>();
        services.AddSingleton<CsrfRule>();
        services.AddSingleton<CallbackServices>();
        services.AddSingleton<ICallerSource, SessionCallers>();
        return builder;
    }

    /// <summary>
    /// Maps <c>login</c>, <c>callback</c>, <c>user</c>, <c>logout</c>, <c>sessions</c> and <c>backchannel-logout</c> below the site's
    /// prefix.
    /// </summary>
    /// <returns>The group of all these endpoints, for further conventions.</returns>
    public static RouteGroupBuilder MapBrowserSessions(this WebApplication app)
    {
        var group = app.MapGroup(app.Services.GetRequiredService<SessionSite>().Prefix).WithTags("Session");
        group
            .MapGet("/login", Login.Handle)
            .AllowAnonymous()
            .Named("login")
            .WithQueryParameter(
                "returnUrl",
                "Address to which the browser returns after the sign-in: a path of this host, or an address of an allowed origin."
            )
            .Produces(StatusCodes.Status302Found)
            .ProducesProblemDocument(400);
        group.MapGet("/callback", Callback.Handle).AllowAnonymous().Named("login").ExcludeFromDescription();
        group
            .MapGet("/logout", Logout.Handle)
            .AllowAnonymous()
            .Named("logout")
            .NeverShed()
            .ChargedWithinEndpoint()
            .WithQueryParameter("sid", "Id of the session to end. The user's `logoutUrl` contains it.")
            .Produces(StatusCodes.Status302Found)
            .ProducesProblemDocument(403);
        group
            .MapPost("/backchannel-logout", BackchannelLogout.Handle)
            .AllowAnonymous()
            .DisableAntiforgery()
            .Named("logout")
            .NeverShed()
            .WithoutLimits()
            .ExcludeFromDescription();

        var own = group.MapGroup("").RequireCaller();
        own.MapGet("/user", GetUser.Handle)
            .Named("session")
            .WithName("signed-in-user")
            .Produces<SignedInUser>()
            .WithMetadata(new SessionUse(Slides: false), new AnonymousAnswer(GetUser.Anonymous));
        own.MapGet("/sessions", ManageSessions.List).Named("session").WithName("list-sessions").Produces<SessionList>();
        own.MapDelete("/sessions/{id}", ManageSessions.EndOne)
            .Named("session")
            .WithName("end-session")
            .Produces(StatusCodes.Status204NoContent)
            .ProducesProblemDocument(404);
        own.MapDelete("/sessions", ManageSessions.EndOthers)
            .Named("session")
            .WithName("end-other-sessions")
            .Produces(StatusCodes.Status204NoContent);
        return group;
    }

    private static TBuilder RequireCaller<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new CallerRule(null));
}
