using System.Net;
using System.Net.Sockets;
using DnsClient;
using Microsoft.Extensions.ServiceDiscovery;

namespace Bff.Upstreams.Discovery;

/// <summary>Resolves a name by DNS to its addresses (A, AAAA), in the order in which to try them (RFC 6724).</summary>
internal delegate Task<IPAddress[]> ResolveAddresses(string host, CancellationToken cancellation);

/// <summary>Resolves a service by DNS (SRV, RFC 2782) to the hosts and ports of the best priority.</summary>
internal delegate Task<IReadOnlyList<DnsEndPoint>> ResolveServices(string name, CancellationToken cancellation);

/// <summary>
/// Finds the instances behind a configured address. 1. <c>Services:&lt;name&gt;</c> comes first, in the form that Aspire sets
/// (<see cref="ServiceEndpointResolver"/>; <c>https+http://orders</c> uses the first scheme that exists, <c>http://_grpc.catalog</c> the
/// endpoint of that name). 2. Otherwise a named endpoint is looked up in DNS as <c>_grpc._tcp.catalog</c> (SRV), and 3. any other host is
/// used as written. 4. Every host that is a name is resolved, and each of its addresses is an instance.
/// </summary>
/// <param name="configured">Reads <c>Services</c>; created on first use.</param>
/// <param name="addresses">Resolves names by DNS.</param>
/// <param name="services">Resolves services by DNS.</param>
internal sealed class ServiceNames(Lazy<ServiceEndpointResolver> configured, ResolveAddresses addresses, ResolveServices services)
{
    private static readonly Lazy<LookupClient> Dns = new(() => new LookupClient());

    /// <summary>Whether an address contains a name that can stand for several instances, or for one that moves.</summary>
    public static bool IsName(Uri address) => address.Scheme.Contains('+', StringComparison.Ordinal) || IsName(address.Host);

    /// <summary>Returns the current instances; none if nothing is known about the name.</summary>
    /// <param name="written">A configured address.</param>
    /// <param name="cancellation">Cancels the look-up.</param>
    /// <exception cref="SocketException">DNS does not know the name, or does not answer.</exception>
    /// <exception cref="DnsResponseException">DNS does not know the service, or does not answer.</exception>
    public async Task<IReadOnlyList<ServiceAddress>> Find(Uri written, CancellationToken cancellation)
    {
        var found = new List<ServiceAddress>();
        foreach (var uri in await Instances(written, cancellation))
        {
            var full = WithPath(uri, written.AbsolutePath);
            if (!IsName(full.Host))
            {
                found.Add(new(full));
                continue;
            }

            foreach (var address in OneFamily(await addresses(full.Host, cancellation)))
            {
                found.Add(new(new UriBuilder(full) { Host = address.ToString() }.Uri, full.IsDefaultPort ? full.Host : full.Authority));
            }
        }

        return found;
    }

    /// <summary>Resolves a name through the operating system.</summary>
    public static Task<IPAddress[]> AddressesOf(string host, CancellationToken cancellation) =>
        System.Net.Dns.GetHostAddressesAsync(host, cancellation);

    /// <summary>Resolves a service through the name servers of the operating system.</summary>
    public static Task<IReadOnlyList<DnsEndPoint>> ServicesOf(string name, CancellationToken cancellation) =>
        ServicesOf(Dns.Value, name, cancellation);

    /// <summary>Returns the hosts with the lowest priority value; ignores weights, since calls are balanced anyway.</summary>
    internal static async Task<IReadOnlyList<DnsEndPoint>> ServicesOf(IDnsQuery dns, string name, CancellationToken cancellation)
    {
        var answer = await dns.QueryAsync(name, QueryType.SRV, cancellationToken: cancellation);
        var records = answer.Answers.SrvRecords().ToList();
        return
        [
            .. records
                .Where(r => r.Priority == records.Min(other => other.Priority) && r.Target.Value != ".")
                .Select(r => new DnsEndPoint(r.Target.Value.TrimEnd('.'), r.Port)),
        ];
    }

    private async Task<IEnumerable<Uri>> Instances(Uri written, CancellationToken cancellation)
    {
        var authority = $"{written.Scheme}://{written.Authority}";
        if (!ServiceEndpointQuery.TryParse(authority, out var query))
        {
            return [written];
        }

        var scheme = written.Scheme.Split('+')[0];
        var said = (await configured.Value.GetEndpointsAsync(authority, cancellation)).Endpoints;
        if (said.Count > 0)
        {
            return said.Select(e => UriOf(scheme, e.EndPoint));
        }

        return query.EndpointName is { } endpoint
            ? (await services($"_{endpoint}._tcp.{query.ServiceName}", cancellation)).Select(e => UriOf(scheme, e))
            : [new Uri($"{scheme}://{written.Authority}/")];
    }

    private static Uri UriOf(string scheme, EndPoint endpoint) =>
        endpoint switch
        {
            UriEndPoint { Uri: var uri } => uri,
            DnsEndPoint { Port: 0 } host => new UriBuilder(scheme, host.Host).Uri,
            DnsEndPoint host => new UriBuilder(scheme, host.Host, host.Port).Uri,
            IPEndPoint { Port: 0 } address => new UriBuilder(scheme, address.Address.ToString()).Uri,
            IPEndPoint address => new UriBuilder(scheme, address.Address.ToString(), address.Port).Uri,
            _ => throw new NotSupportedException($"An endpoint of the kind {endpoint.GetType().Name} cannot be called."),
        };

    private static Uri WithPath(Uri instance, string path)
    {
        var below = instance.AbsolutePath.TrimEnd('/') + path;
        return new UriBuilder(instance) { Path = below.EndsWith('/') ? below : below + "/" }.Uri;
    }

    /// <summary>
    /// Keeps the addresses of one family. A name with both families stands for instances that have one address of each. The operating
    /// system's first choice is used; otherwise each instance would be listed twice, perhaps with an unreachable address.
    /// </summary>
    private static IEnumerable<IPAddress> OneFamily(IPAddress[] all) => all.Where(a => a.AddressFamily == all[0].AddressFamily).Distinct();

    private static bool IsName(string host) =>
        !IPAddress.TryParse(host.Trim('[', ']'), out _)
        && !host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        && !host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
}
