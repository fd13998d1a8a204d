using System.Text.Json;
using Bff.Requests;
using Bff.Routes;
using WebBff.Upstreams;

namespace WebBff.Features.Profile;

/// <summary>A merge patch (RFC 7396) of the caller's profile: absent members stay unchanged.</summary>
public sealed record ProfilePatch(string? Name = null, string? Locale = null, JsonElement? Preferences = null);

/// <summary>Changes the caller's own profile; the request is passed through, once.</summary>
internal static class ChangeProfile
{
    public static Task Handle(HttpContext context, Caller caller, PassThrough through, IUsers users) =>
        through.Send(context, users.Change(caller.Subject));
}
