using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bff.Dev.IdentityProvider;

/// <summary>Endpoints that no real provider has: free tokens, key rotation on demand, faults. Closed to pages of other origins.</summary>
internal static class DevelopmentEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, DevelopmentIdentityProvider provider)
    {
        routes.MapPost(
            "/__token",
            WithBody(provider, body => new JsonObject { ["access_token"] = provider.MintToken(TokenRequest.From(body)) })
        );
        routes.MapPost(
            "/__keys/rotate",
            WithBody(
                provider,
                _ => new JsonObject { ["kids"] = new JsonArray([.. provider.RotateKeys().Select(kid => JsonValue.Create(kid))]) }
            )
        );
        routes.MapPost(
            "/__keys/withdraw",
            WithBody(
                provider,
                body => new JsonObject
                {
                    ["withdrawn"] = provider.WithdrawKey(body["kid"]?.GetValue<string>() ?? throw new ArgumentException("kid is missing.")),
                }
            )
        );
        routes.MapPost(
            "/__faults",
            WithBody(
                provider,
                body =>
                {
                    var endpoint = Enum.Parse<IdentityEndpoint>(body["endpoint"]?.GetValue<string>() ?? "", ignoreCase: true);
                    provider.Faults[endpoint] = Enum.Parse<FaultMode>(body["mode"]?.GetValue<string>() ?? "", ignoreCase: true);
                    return new JsonObject();
                }
            )
        );
    }

    private static RequestDelegate WithBody(DevelopmentIdentityProvider provider, Func<JsonObject, JsonObject> act) =>
        async context =>
        {
            // A page of another origin cannot send this content type or hide its origin without a preflight, which nothing here answers.
            var origin = context.Request.Headers.Origin.ToString();
            if (CrossSite.IsForeign(context) || (origin.Length > 0 && origin != provider.Authority))
            {
                await Answer.Error(context, "forbidden", "Not for pages of other origins.", StatusCodes.Status403Forbidden);
                return;
            }

            try
            {
                var body = context.Request.HasJsonContentType()
                    ? await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted) as JsonObject
                    : new JsonObject();
                await Answer.Json(context, act(body ?? []));
            }
            catch (Exception exception)
                when (exception is JsonException or InvalidOperationException or ArgumentException or FormatException or OverflowException)
            {
                await Answer.Error(context, "invalid_request", exception.Message);
            }
        };
}
