namespace Bff.Upstreams.Discovery;

/// <summary>Where one instance of a service is.</summary>
/// <param name="Uri">What is dialled: with an IP address where a name was resolved; ends with a slash.</param>
/// <param name="Host">
/// The name that the instance is asked by (<c>Host</c>, and the name of its certificate), where <paramref name="Uri"/> does not say it;
/// with the port, unless it is the scheme's.
/// </param>
internal readonly record struct ServiceAddress(Uri Uri, string? Host = null);
