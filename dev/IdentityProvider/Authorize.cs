namespace Bff.Dev.IdentityProvider;

/// <summary>
/// The authorization endpoint. Checks the request, then answers at once from the browser's session, or shows the sign-in page, whose button
/// posts to <c>/sign-in</c> with the same request in its query.
/// </summary>
internal static class Authorize
{
    public static void Map(IEndpointRouteBuilder routes, DevelopmentIdentityProvider provider)
    {
        routes.MapGet(
            "/authorize",
            provider.Endpoint(IdentityEndpoint.Authorize, context => Ask(context, provider, Parameters.FromQuery(context)))
        );
        routes.MapPost(
            "/authorize",
            provider.Endpoint(
                IdentityEndpoint.Authorize,
                async context => await Ask(context, provider, await Parameters.FromForm(context) ?? Parameters.FromQuery(context))
            )
        );
        routes.MapPost("/sign-in", context => SignIn(context, provider));
    }

    private static Task Ask(HttpContext context, DevelopmentIdentityProvider provider, Parameters asked)
    {
        var (request, error) = AuthorizationRequest.Read(asked, provider.Options);
        if (request is null)
            return Refuse(context, provider, error!);

        if (provider.Sessions.Of(context) is { } session && Satisfies(session, request, provider))
            return Return(context, provider, request, session);
        if (request.Prompt.Contains("none"))
            return Refuse(
                context,
                provider,
                new AuthorizationError("login_required", "No user is signed in.", request.RedirectUri, request.State)
            );
        if (provider.Options.Users.Find(provider.Options.AutomaticUser) is { } automatic)
            return Return(context, provider, request, provider.Sessions.Begin(context, automatic));

        return Answer.Html(context, SignInPage.Render(request, provider.Options.Users, asked.ToQueryString()));
    }

    private static async Task SignIn(HttpContext context, DevelopmentIdentityProvider provider)
    {
        var (request, error) = AuthorizationRequest.Read(Parameters.FromQuery(context), provider.Options);
        if (request is null)
        {
            await Refuse(context, provider, error!);
            return;
        }

        var form = await Parameters.FromForm(context);
        if (CrossSite.IsForeign(context) || provider.Options.Users.Find(form?["user"]) is not { } user)
        {
            await Answer.Html(
                context,
                MessagePage.Render("Sign-in refused", "Go back and choose one of the listed users."),
                StatusCodes.Status400BadRequest
            );
            return;
        }

        await Return(context, provider, request, provider.Sessions.Begin(context, user));
    }

    private static bool Satisfies(SsoSession session, AuthorizationRequest request, DevelopmentIdentityProvider provider)
    {
        if (request.Prompt.Contains("login") || request.Prompt.Contains("select_account"))
            return false;
        if (request.LoginHint is { } hint && !session.User.Answers(hint))
            return false;
        return request.MaxAge is not { } age || provider.Options.Time.GetUtcNow() - session.SignedInAt <= age;
    }

    private static Task Return(HttpContext context, DevelopmentIdentityProvider provider, AuthorizationRequest request, SsoSession session)
    {
        session.Joined(request.ClientId);
        var code = provider.Grants.Begin(request, session);
        Redirect(context, provider, request.RedirectUri, request.State, ("code", code));
        return Task.CompletedTask;
    }

    private static Task Refuse(HttpContext context, DevelopmentIdentityProvider provider, AuthorizationError error)
    {
        if (error.RedirectUri is null)
            return Answer.Html(
                context,
                MessagePage.Render("This sign-in request is not valid", error.Description),
                StatusCodes.Status400BadRequest
            );
        Redirect(context, provider, error.RedirectUri, error.State, ("error", error.Code), ("error_description", error.Description));
        return Task.CompletedTask;
    }

    // "iss" tells the client which provider answered (RFC 9207).
    private static void Redirect(
        HttpContext context,
        DevelopmentIdentityProvider provider,
        string redirectUri,
        string? state,
        params (string Name, string Value)[] answer
    )
    {
        var query = QueryString.Create("iss", provider.Authority);
        foreach (var (name, value) in answer)
            query = query.Add(name, value);
        if (state is not null)
            query = query.Add("state", state);
        Answer.SeeOther(
            context,
            redirectUri + (redirectUri.Contains('?', StringComparison.Ordinal) ? "&" + query.Value![1..] : query.Value)
        );
    }
}
